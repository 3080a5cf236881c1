//! Server side. How many tests, how often: per person, per profile, per account and in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    profile::model::ProfileId,
    session::{AccountId, Session},
};
use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock, QuantaInstant},
};

use super::TestQuota;

/// Tests of one account at the same time.
const AT_ONCE: u32 = 4;
/// After so many keys the limiters forget those that are at rest.
const MANY_KEYS: usize = 10_000;

pub(super) struct Limits {
    person: DefaultKeyedRateLimiter<(AccountId, String)>,
    profile: DefaultKeyedRateLimiter<ProfileId>,
    account: DefaultKeyedRateLimiter<AccountId>,
    all: DefaultDirectRateLimiter,
    running: Arc<Mutex<HashMap<AccountId, u32>>>,
    clock: DefaultClock,
}

/// One running test of an account; dropping it frees its place.
pub(super) struct Slot {
    account: AccountId,
    running: Arc<Mutex<HashMap<AccountId, u32>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.account);
            }
        }
    }
}

impl Limits {
    pub(super) fn new(quota: TestQuota) -> Self {
        Self {
            person: RateLimiter::keyed(Quota::per_minute(quota.per_person)),
            profile: RateLimiter::keyed(Quota::per_minute(quota.per_profile)),
            account: RateLimiter::keyed(Quota::per_minute(quota.per_account)),
            all: RateLimiter::direct(Quota::per_minute(quota.in_all)),
            running: Arc::default(),
            clock: DefaultClock::default(),
        }
    }

    /// Lets a test in, or says after how many seconds to come back.
    pub(super) fn admit(&self, session: &Session, id: ProfileId) -> Result<Slot, u32> {
        self.tidy();
        let person = (session.account.clone(), session.person.id.clone());
        let wait = |not_until: NotUntil<QuantaInstant>| seconds(not_until.wait_time_from(self.clock.now()));
        self.person.check_key(&person).map_err(wait)?;
        self.profile.check_key(&id).map_err(wait)?;
        self.account.check_key(&session.account).map_err(wait)?;
        self.all.check().map_err(wait)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(session.account.clone()).or_default();
        if *count >= AT_ONCE {
            return Err(5);
        }
        *count += 1;
        Ok(Slot { account: session.account.clone(), running: self.running.clone() })
    }

    fn tidy(&self) {
        if self.profile.len() > MANY_KEYS {
            self.person.retain_recent();
            self.profile.retain_recent();
            self.account.retain_recent();
        }
    }
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use app::{i18n::Locale, session::User};
    use uuid::Uuid;

    use super::*;

    fn session(account: &str, person: &str) -> Session {
        Session {
            key: [0; 32],
            account: AccountId { portal: "demo".to_owned(), account: account.to_owned() },
            account_name: account.to_owned(),
            portal_name: "Comptoir".to_owned(),
            person: User { id: person.to_owned(), name: person.to_owned() },
            email: String::new(),
            users: vec![],
            locale: Locale::Fr,
            return_url: None,
            theme: app::theme::GivenTheme::default(),
        }
    }

    fn profile(number: u128) -> ProfileId {
        ProfileId(Uuid::from_u128(number))
    }

    fn quota(per_person: u32, per_profile: u32, per_account: u32) -> TestQuota {
        let quota = |n| NonZeroU32::new(n).unwrap();
        TestQuota {
            per_person: quota(per_person),
            per_profile: quota(per_profile),
            per_account: quota(per_account),
            in_all: quota(1_000),
        }
    }

    #[test]
    fn each_limit_holds_by_itself_and_others_are_not_affected() {
        for (quota, second) in [
            (quota(1, 9, 9), (session("martin", "claire"), profile(2))),
            (quota(9, 1, 9), (session("martin", "karim"), profile(1))),
            (quota(9, 9, 1), (session("martin", "karim"), profile(2))),
        ] {
            let limits = Limits::new(quota);
            drop(limits.admit(&session("martin", "claire"), profile(1)).map_err(|_| ()).unwrap());
            let wait = limits.admit(&second.0, second.1).map(|_| ()).unwrap_err();
            assert!((1..=61).contains(&wait));
            assert!(limits.admit(&session("dubois", "hugo"), profile(3)).is_ok());
        }
    }

    #[test]
    fn places_are_given_back() {
        let limits = Limits::new(quota(100, 100, 100));
        let claire = session("martin", "claire");
        let mut slots: Vec<Slot> = (0..4).map(|n| limits.admit(&claire, profile(n)).map_err(|_| ()).unwrap()).collect();
        assert!(limits.admit(&claire, profile(9)).is_err());
        slots.pop();
        assert!(limits.admit(&claire, profile(9)).is_ok());
    }
}
