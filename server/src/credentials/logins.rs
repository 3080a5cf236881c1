//! Server side. At most three refused logins with a password: providers lock accounts.
//!
//! A permit is acquired before a password is sent to a server, and returned with the outcome: by tests, retests after a
//! fix, hourly checks, the outbox, and within a conversation for each exchange. There are as many permits as refusals
//! are still allowed, so concurrent logins are refused three times at most. Permits are rows of the database, seen by
//! every replica; a permit whose holder is gone expires.
//!
//! A password is counted by what the provider sees: host, login and the password itself (as a keyed hash, see
//! [`Vault::login_key`](super::vault::Vault::login_key)), so that two profiles, or a profile after a fix, share the
//! count. A successful login resets it; so does entering the password again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::services::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mail::smtp::{LoginGate, LoginOutcome};
pub use model::login::{Admission, LEASE, LoginCount, MOST_REFUSALS, admit};
use tokio::{sync::Notify, task::AbortHandle, time::Instant};
use uuid::Uuid;

use crate::{
    group_commit::GroupCommit,
    store::{LoginClaim, LoginEnd, Store},
};

#[cfg(test)]
mod tests;

/// How long a login waits for a permit.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two attempts to acquire a permit.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How often an outcome is written again while the store is unavailable.
const TRIES: u32 = 20;

/// Why a login was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It was refused three times.
    Refused,
    /// Other conversations held every permit.
    Busy,
    /// The store is unavailable.
    Unavailable,
}

/// Grants permits for logins.
#[derive(Clone)]
pub struct Logins(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    claims: GroupCommit<LoginClaim, Admission>,
    ends: GroupCommit<LoginEnd, ()>,
}

impl Logins {
    pub fn new(store: &Arc<dyn Store>, clock: Clock) -> Self {
        let (claiming, ending) = (store.clone(), store.clone());
        let claims = GroupCommit::start(move |claims: Vec<LoginClaim>| {
            let store = claiming.clone();
            async move {
                let admissions = store.claim_logins(&claims, &admit).await;
                (claims, admissions)
            }
        });
        let ends = GroupCommit::start(move |ends: Vec<LoginEnd>| {
            let store = ending.clone();
            async move {
                let ended = store.end_logins(&ends).await.map(|()| vec![(); ends.len()]);
                (ends, ended)
            }
        });
        Self(Arc::new(Shared { store: store.clone(), clock, claims, ends }))
    }

    /// The guard for one conversation with an access token: its logins are not counted.
    pub fn uncounted_gate(&self) -> Arc<LoginGuard> {
        self.guard(None, None)
    }

    /// The guard for one conversation with this secret.
    pub fn gate(&self, key: [u8; 32], again_after: Option<SignedDuration>) -> Arc<LoginGuard> {
        self.guard(Some(key), again_after)
    }

    fn guard(&self, key: Option<[u8; 32]>, again_after: Option<SignedDuration>) -> Arc<LoginGuard> {
        Arc::new(LoginGuard {
            shared: self.0.clone(),
            key,
            again_after,
            state: Mutex::new(State::default()),
            idle: Notify::new(),
        })
    }
}

/// Counts the logins of one conversation.
pub struct LoginGuard {
    shared: Arc<Shared>,
    /// `None`: its logins are not counted.
    key: Option<[u8; 32]>,
    again_after: Option<SignedDuration>,
    state: Mutex<State>,
    /// Notified when no login is running.
    idle: Notify,
}

#[derive(Default)]
struct State {
    /// A login has begun, or is about to.
    under_way: bool,
    /// Its permit, and the task that renews it.
    permit: Option<(Uuid, AbortHandle)>,
    stopped: bool,
    withheld: Option<Withheld>,
}

impl Drop for LoginGuard {
    fn drop(&mut self) {
        if let Some((_, renewal)) = self.with(|state| state.permit.take()) {
            renewal.abort();
        }
    }
}

impl LoginGuard {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why a login was not tried, if one was not.
    pub fn withheld(&self) -> Option<Withheld> {
        self.with(|state| state.withheld)
    }

    fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    /// Waits for a permit.
    async fn acquire_permit(&self, key: [u8; 32]) -> Result<Uuid, Withheld> {
        let began = Instant::now();
        loop {
            let (id, now) = (Uuid::new_v4(), self.now());
            let claim = LoginClaim { id, key, now, until: now + LEASE, again_after: self.again_after };
            match self.shared.claims.write(claim).await {
                Ok(Admission::Granted) => return Ok(id),
                Ok(Admission::Refused) => return Err(Withheld::Refused),
                Ok(Admission::Busy) if began.elapsed() >= PATIENCE || self.with(|state| state.stopped) => {
                    return Err(Withheld::Busy);
                }
                Ok(Admission::Busy) => tokio::time::sleep(RETRY_EVERY).await,
                Err(_) => return Err(Withheld::Unavailable),
            }
        }
    }

    /// Renews the permit while the server takes its time.
    fn renew(&self, id: Uuid) -> AbortHandle {
        let shared = self.shared.clone();
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LEASE.unsigned_abs() / 3).await;
                let until = (shared.clock)() + LEASE;
                if let Err(error) = shared.store.prolong_login(id, until).await {
                    error.log();
                }
            }
        });
        renewal.abort_handle()
    }
}

#[async_trait]
impl LoginGate for LoginGuard {
    async fn begin(&self) -> bool {
        if self.with(|state| {
            state.under_way = !state.stopped;
            state.stopped
        }) {
            return false;
        }
        let Some(key) = self.key else { return true };
        match self.acquire_permit(key).await {
            Ok(id) => {
                let renewal = self.renew(id);
                self.with(|state| state.permit = Some((id, renewal)));
                true
            }
            Err(withheld) => {
                self.with(|state| (state.under_way, state.withheld) = (false, Some(withheld)));
                self.idle.notify_waiters();
                false
            }
        }
    }

    async fn ended(&self, outcome: LoginOutcome) {
        if let (Some(key), Some((id, renewal))) = (self.key, self.with(|state| state.permit.take())) {
            let end = LoginEnd { id, key, outcome, at: self.now() };
            let mut tries = 0;
            while self.shared.ends.write(end).await.is_err() && tries < TRIES {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            renewal.abort();
        }
        self.with(|state| state.under_way = false);
        self.idle.notify_waiters();
    }

    fn stop(&self) {
        self.with(|state| state.stopped = true);
    }

    async fn settled(&self) {
        loop {
            let idle = self.idle.notified();
            if !self.with(|state| state.under_way) {
                return;
            }
            idle.await;
        }
    }
}
