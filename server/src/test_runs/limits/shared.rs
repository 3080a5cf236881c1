//! Server side. Rates of tests, counted by all replicas together: the same rules as in the process.

use std::{num::NonZeroU32, time::Duration};

use app::{
    profile::model::ProfileId,
    session::{AccountId, Session},
};

use super::{RESERVED, seconds};
use crate::{replicas::Replicas, store::replicas::Rate, test_runs::TestQuota};

pub(super) struct SharedQuota {
    quota: TestQuota,
    /// The part of the total reserved for accounts that have had little, and the rest.
    reserved: Option<NonZeroU32>,
    common: NonZeroU32,
    replicas: Replicas,
}

impl SharedQuota {
    pub(super) const fn new(
        quota: TestQuota,
        reserved: Option<NonZeroU32>,
        common: NonZeroU32,
        replicas: Replicas,
    ) -> Self {
        Self { quota, reserved, common, replicas }
    }

    /// The error says after how many seconds to try again.
    pub(super) async fn admit(&self, session: &Session, id: ProfileId) -> Result<(), u32> {
        let account = of(&session.account);
        let person = format!("{account}\u{1f}{}", session.person.id);
        self.take("person", &person, self.quota.per_person).await.map_err(seconds)?;
        self.take("profile", &id.to_string(), self.quota.per_profile).await.map_err(seconds)?;
        self.take("account", &account, self.quota.per_account).await.map_err(seconds)?;
        let had_little = self.take("little", &account, RESERVED).await.is_ok();
        let Err(for_all) = self.take("all", "", self.common).await else { return Ok(()) };
        if had_little
            && let Some(reserved) = self.reserved
            && self.take("reserve", "", reserved).await.is_ok()
        {
            return Ok(());
        }
        Err(seconds(for_all))
    }

    async fn take(&self, what: &str, of: &str, per_minute: NonZeroU32) -> Result<(), Duration> {
        let burst = f64::from(per_minute.get());
        let rate = Rate { per_second: burst / 60.0, burst };
        self.replicas.take_rate(&format!("tests\u{1f}{what}\u{1f}{of}"), rate, 1).await.map(drop)
    }
}

/// An account as one string.
pub(super) fn of(AccountId { portal, account }: &AccountId) -> String {
    format!("{portal}\u{1f}{account}")
}

#[cfg(test)]
mod tests {
    use app::test_run::port::{AtOnce, Refusal};

    use super::super::{
        Limits, OF_PERSON,
        tests::{admit, profile, quota, session},
    };
    use crate::{
        replicas::{TERMS, tests::Node},
        store::postgres::cluster,
    };

    #[tokio::test]
    async fn all_replicas_count_together() {
        let Some(store) = cluster::store().await else { return };
        let nodes = [Node::new(&store, TERMS).await, Node::new(&store, TERMS).await];
        let limits = |quota| nodes.each_ref().map(|node| Limits::new(quota, node.replicas.clone()));
        // At the same time.
        let [one, other] = limits(quota(100, 100, 100));
        let claire = session("martin", "claire");
        let mut permits = Vec::new();
        for number in 0..OF_PERSON {
            let limits = if number % 2 == 0 { &one } else { &other };
            permits.push(admit(limits, &claire, profile(u128::from(number))).await.unwrap());
        }
        for limits in [&one, &other] {
            let refused = admit(limits, &claire, profile(9)).await.map(drop);
            assert_eq!(refused, Err(Refusal::AtOnce(AtOnce::Person)));
        }
        let karim = session("martin", "karim");
        permits.push(admit(&other, &karim, profile(9)).await.unwrap());
        permits.push(admit(&one, &karim, profile(9)).await.unwrap());
        let refused = admit(&other, &karim, profile(9)).await.map(drop);
        assert_eq!(refused, Err(Refusal::AtOnce(AtOnce::Account)));
        // Within a minute: tests run on one replica count on the other.
        for (quota, person, number) in
            [(quota(2, 9, 9), "claire", 7), (quota(9, 2, 9), "lea", 8), (quota(9, 9, 2), "lea", 9)]
        {
            let [one, other] = limits(quota);
            let account = format!("dubois {number}");
            let person = session(&account, person);
            drop(admit(&one, &person, profile(number)).await.unwrap());
            drop(admit(&other, &person, profile(number)).await.unwrap());
            for limits in [&one, &other] {
                let refused = admit(limits, &person, profile(number)).await.map(drop);
                assert!(matches!(refused, Err(Refusal::Limited { retry_after_s: 1..=61 })), "{refused:?}");
            }
        }
    }
}
