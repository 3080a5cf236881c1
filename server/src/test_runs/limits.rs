//! Server side. Limits on tests: per person, per profile, per account and in total. Several replicas count together,
//! but the slots for conversations protect the process, and each replica has its own.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    profile::model::ProfileId,
    session::{AccountId, Session},
    test_run::port::{AtOnce, Refusal},
};
use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock, QuantaInstant},
};

use tokio::time::Instant;

use super::TestQuota;
use crate::{
    admission::{self, Admission, Caps, Claimant, Full, Party},
    replicas::{Place, Replicas},
};

mod shared;

use shared::SharedQuota;

/// Tests that have just begun, in total.
const WORKERS: u32 = 64;
/// Tests that wait for slow servers, beside them.
const WAITING: u32 = 256;
/// Tests of one account at the same time, of either kind.
const OF_ACCOUNT: u32 = 6;
/// Tests of one person at the same time.
const OF_PERSON: u32 = 4;
/// Tests with one host at the same time, with several replicas: as many as one process would have at most.
const OF_HOST: u32 = WORKERS + WAITING / 4;
/// How long a test waits for a free slot.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two attempts to start.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// Tests an account may run in a minute though others have used up the total.
pub(super) const RESERVED: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// Above this number of keys, the limiters forget idle ones.
const MANY_KEYS: usize = 10_000;

type Person = (AccountId, String);

pub(super) struct Limits {
    person: DefaultKeyedRateLimiter<Person>,
    profile: DefaultKeyedRateLimiter<ProfileId>,
    account: DefaultKeyedRateLimiter<AccountId>,
    all: DefaultDirectRateLimiter,
    /// A quarter of the total is reserved for accounts that have had little.
    reserve: Option<DefaultDirectRateLimiter>,
    little: DefaultKeyedRateLimiter<AccountId>,
    /// Slots for conversations: the same rules as in the outbox, with a separate count.
    admission: Admission,
    accounts: RunningCounts<AccountId>,
    people: RunningCounts<Person>,
    clock: DefaultClock,
    replicas: Replicas,
    /// The same limits, counted by all replicas.
    shared: SharedQuota,
}

/// Permission for one test; dropping it ends the count.
pub(super) struct TestPermit {
    conversation: admission::Slot,
    _shared: [Place; 3],
    _account: RunningGuard<AccountId>,
    _person: RunningGuard<Person>,
}

impl TestPermit {
    /// Runs a conversation, giving its worker to others while it waits.
    pub(super) async fn watch<T>(&self, conversation: impl Future<Output = T>) -> T {
        self.conversation.watch(conversation).await
    }
}

/// How many tests run, for each key.
struct RunningCounts<K>(Arc<Mutex<HashMap<K, u32>>>);

impl<K> Default for RunningCounts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One running test, counted until dropped.
struct RunningGuard<K: Eq + Hash> {
    key: K,
    running: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Eq + Hash + Clone> RunningCounts<K> {
    fn begin(&self, key: &K, most: u32) -> Option<RunningGuard<K>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(RunningGuard { key: key.clone(), running: self.0.clone() })
    }
}

impl<K: Eq + Hash> Drop for RunningGuard<K> {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.key);
            }
        }
    }
}

impl Limits {
    pub(super) fn new(quota: TestQuota, replicas: Replicas) -> Self {
        let in_all = quota.in_all.get();
        let reserved = NonZeroU32::new(in_all / 4);
        let common = NonZeroU32::new(in_all - in_all / 4).unwrap_or(quota.in_all);
        Self {
            person: RateLimiter::keyed(Quota::per_minute(quota.per_person)),
            profile: RateLimiter::keyed(Quota::per_minute(quota.per_profile)),
            account: RateLimiter::keyed(Quota::per_minute(quota.per_account)),
            all: RateLimiter::direct(Quota::per_minute(common)),
            reserve: reserved.map(|reserved| RateLimiter::direct(Quota::per_minute(reserved))),
            little: RateLimiter::keyed(Quota::per_minute(RESERVED)),
            admission: Admission::new(Caps { account_workers: OF_ACCOUNT, ..Caps::new(WORKERS, WAITING, OF_ACCOUNT) }),
            accounts: RunningCounts::default(),
            people: RunningCounts::default(),
            clock: DefaultClock::default(),
            shared: SharedQuota::new(quota, reserved, common, replicas.clone()),
            replicas,
        }
    }

    /// Admits a test. It is refused at once if its person or account has used up a share; otherwise it waits for a free
    /// slot.
    pub(super) async fn admit(&self, session: &Session, id: ProfileId, host: &str) -> Result<TestPermit, Refusal> {
        self.tidy();
        let person = (session.account.clone(), session.person.id.clone());
        let of_person = self.people.begin(&person, OF_PERSON).ok_or(Refusal::AtOnce(AtOnce::Person))?;
        let of_account = self.accounts.begin(&session.account, OF_ACCOUNT);
        let of_account = of_account.ok_or(Refusal::AtOnce(AtOnce::Account))?;
        let shared = [
            self.place("person", &format!("{}\u{1f}{}", shared::of(&person.0), person.1), OF_PERSON)
                .await
                .ok_or(AtOnce::Person),
            self.place("account", &shared::of(&session.account), OF_ACCOUNT).await.ok_or(AtOnce::Account),
            self.place("host", &host.to_lowercase(), OF_HOST).await.ok_or(AtOnce::All),
        ];
        let [of_persons, of_accounts, of_host] = shared.map(|place| place.map_err(Refusal::AtOnce));
        let shared = [of_persons?, of_accounts?, of_host?];
        let within = if self.replicas.is_shared() {
            self.shared.admit(session, id).await
        } else {
            self.within_quota(session, &person, id)
        };
        within.map_err(|retry_after_s| Refusal::Limited { retry_after_s })?;
        let claimant = Claimant::new(Party::Account(session.account.clone()), host);
        let until = Instant::now() + PATIENCE;
        loop {
            match self.admission.enter(&claimant) {
                Ok(conversation) => {
                    let permit = TestPermit { conversation, _shared: shared, _account: of_account, _person: of_person };
                    return Ok(permit);
                }
                Err(Full::Party) => return Err(Refusal::AtOnce(AtOnce::Account)),
                Err(Full::Server | Full::All) if Instant::now() >= until => return Err(Refusal::AtOnce(AtOnce::All)),
                Err(Full::Server | Full::All) => tokio::time::sleep(RETRY_EVERY).await,
            }
        }
    }

    /// A place among the tests that all replicas run at the same time.
    async fn place(&self, what: &str, of: &str, most: u32) -> Option<Place> {
        self.replicas.take(|| format!("tests\u{1f}{what}\u{1f}{of}"), most).await
    }

    /// The error says after how many seconds to try again.
    fn within_quota(&self, session: &Session, person: &Person, id: ProfileId) -> Result<(), u32> {
        let wait = |not_until: NotUntil<QuantaInstant>| seconds(not_until.wait_time_from(self.clock.now()));
        self.person.check_key(person).map_err(wait)?;
        self.profile.check_key(&id).map_err(wait)?;
        self.account.check_key(&session.account).map_err(wait)?;
        let had_little = self.little.check_key(&session.account).is_ok();
        let reserved = || had_little && self.reserve.as_ref().is_some_and(|reserve| reserve.check().is_ok());
        match self.all.check() {
            Ok(()) => Ok(()),
            Err(_) if reserved() => Ok(()),
            Err(not_until) => Err(wait(not_until)),
        }
    }

    fn tidy(&self) {
        self.admission.tidy();
        if self.profile.len() > MANY_KEYS {
            self.person.retain_recent();
            self.profile.retain_recent();
            self.account.retain_recent();
            self.little.retain_recent();
        }
    }
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
