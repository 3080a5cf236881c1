//! Server side. Three refused passwords, and no more: providers lock accounts.
//!
//! Whoever is about to show a password to a server takes a place first, and says how it ended: tests, retests after a fix,
//! hourly checks, the outbox, and within a conversation one exchange after another. There are as many places as refusals
//! may still come, so that many at once are no more than three. The places are in the database, where every replica sees
//! them; a place whose holder is gone ends by itself.
//!
//! A password is counted by what the provider sees: host, login and the password itself (as a keyed hash, see
//! [`Vault::login_key`](super::vault::Vault::login_key)), so that two profiles, or a profile after a fix, share the count.
//! A successful login resets it; so does entering the password again.

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

/// How long a login waits for a place that others have.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often an outcome is written again while the store is unavailable.
const TRIES: u32 = 20;

/// Why a login was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It was refused three times.
    Refused,
    /// Others were trying it all the time.
    Busy,
    /// The store does not answer.
    Unavailable,
}

/// Hands out places.
#[derive(Clone)]
pub struct Logins(Arc<Desk>);

struct Desk {
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
        Self(Arc::new(Desk { store: store.clone(), clock, claims, ends }))
    }

    /// The gate for one conversation with this secret.
    pub fn gate(&self, key: [u8; 32], again_after: Option<SignedDuration>) -> Arc<Counted> {
        Arc::new(Counted {
            desk: self.0.clone(),
            key,
            again_after,
            state: Mutex::new(State::default()),
            idle: Notify::new(),
        })
    }
}

/// Counts the logins of one conversation.
pub struct Counted {
    desk: Arc<Desk>,
    key: [u8; 32],
    again_after: Option<SignedDuration>,
    state: Mutex<State>,
    /// No login is under way.
    idle: Notify,
}

#[derive(Default)]
struct State {
    /// A login has begun, or is about to.
    under_way: bool,
    /// Its place, and what prolongs it.
    place: Option<(Uuid, AbortHandle)>,
    stopped: bool,
    withheld: Option<Withheld>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some((_, prolonging)) = self.with(|state| state.place.take()) {
            prolonging.abort();
        }
    }
}

impl Counted {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why a login was not tried, if one was not.
    pub fn withheld(&self) -> Option<Withheld> {
        self.with(|state| state.withheld)
    }

    fn now(&self) -> Timestamp {
        (self.desk.clock)()
    }

    /// Waits for a place.
    async fn place(&self) -> Result<Uuid, Withheld> {
        let began = Instant::now();
        loop {
            let (id, now) = (Uuid::new_v4(), self.now());
            let claim = LoginClaim { id, key: self.key, now, until: now + LEASE, again_after: self.again_after };
            match self.desk.claims.write(claim).await {
                Ok(Admission::Granted) => return Ok(id),
                Ok(Admission::Refused) => return Err(Withheld::Refused),
                Ok(Admission::Busy) if began.elapsed() >= PATIENCE || self.with(|state| state.stopped) => {
                    return Err(Withheld::Busy);
                }
                Ok(Admission::Busy) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_) => return Err(Withheld::Unavailable),
            }
        }
    }

    /// Keeps the place while the server takes its time.
    fn prolong(&self, id: Uuid) -> AbortHandle {
        let desk = self.desk.clone();
        let prolonging = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LEASE.unsigned_abs() / 3).await;
                let until = (desk.clock)() + LEASE;
                if let Err(error) = desk.store.prolong_login(id, until).await {
                    tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                }
            }
        });
        prolonging.abort_handle()
    }
}

#[async_trait]
impl LoginGate for Counted {
    async fn begin(&self) -> bool {
        if self.with(|state| {
            state.under_way = !state.stopped;
            state.stopped
        }) {
            return false;
        }
        match self.place().await {
            Ok(id) => {
                let prolonging = self.prolong(id);
                self.with(|state| state.place = Some((id, prolonging)));
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
        if let Some((id, prolonging)) = self.with(|state| state.place.take()) {
            let end = LoginEnd { id, key: self.key, outcome, at: self.now() };
            let mut tries = 0;
            while self.desk.ends.write(end).await.is_err() && tries < TRIES {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            prolonging.abort();
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
