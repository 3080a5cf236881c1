//! Server side. The lease of this replica: renewed every few seconds. Also releases unused places, and sends notices.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    DatabaseClock, Notice, Place, Terms,
    places::{Holdings, Request},
};
use crate::{group_commit::GroupCommit, store::replicas::ReplicaStore};

/// Unused places are released after this time, or as soon as another replica wants them.
const KEPT: Duration = Duration::from_secs(2);
/// How often unused places are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// How often the database's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// Notices within this time are sent together.
const GATHER: Duration = Duration::from_millis(20);

/// The shared state of this replica.
pub(super) struct Shared {
    pub id: i32,
    pub terms: Terms,
    pub store: Arc<dyn ReplicaStore>,
    pub holdings: Arc<Mutex<Holdings>>,
    pub requests: GroupCommit<Request, Option<Place>>,
    pub membership: Mutex<Membership>,
    pub clock: Option<Arc<DatabaseClock>>,
    pub notices: broadcast::Sender<Notice>,
    pub outgoing: Mutex<HashSet<Notice>>,
    pub told: Notify,
    pub stop: CancellationToken,
}

/// The lease of this replica.
pub(super) struct Membership {
    pub renewed: Option<Instant>,
    /// Cancelled when it has lost its places.
    pub lost: CancellationToken,
}

pub(super) fn with<T>(holdings: &Mutex<Holdings>, change: impl FnOnce(&mut Holdings) -> T) -> T {
    change(&mut holdings.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Shared {
    pub fn membership<T>(&self, change: impl FnOnce(&mut Membership) -> T) -> T {
        change(&mut self.membership.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub async fn take(&self, name: &str, most: u32) -> Option<Place> {
        if !self.is_current() {
            return None;
        }
        if let Some(epoch) = with(&self.holdings, |holdings| holdings.take(name, most)) {
            return Some(Place::new(&self.holdings, name.to_owned(), epoch));
        }
        self.requests.write(Request::Take { name: name.to_owned(), most }).await.ok().flatten()
    }

    pub fn is_current(&self) -> bool {
        self.membership(|one| one.renewed.is_some_and(|at| at.elapsed() < self.terms.trusted_for))
    }

    /// Renews the lease. It counts from before the query.
    pub async fn renew(&self) {
        let (began, afresh, epoch) =
            (Instant::now(), !self.is_current(), with(&self.holdings, |holdings| holdings.epoch()));
        match self.store.renew(self.id, self.terms.lease, afresh).await {
            Ok(known) => {
                if with(&self.holdings, |holdings| holdings.epoch()) != epoch {
                    // It lost its places meanwhile, and the database does not know that yet.
                    return;
                }
                if !known && !afresh {
                    tracing::warn!("this process did not renew its lease in time: others have its places");
                    self.lose();
                }
                self.membership(|one| one.renewed = Some(began));
            }
            Err(error) => drop(error.log()),
        }
    }

    /// The places belong to others now, or soon will.
    pub fn lose(&self) {
        self.membership(|one| {
            one.renewed = None;
            std::mem::take(&mut one.lost).cancel();
        });
        with(&self.holdings, Holdings::lose);
        let _ = self.notices.send(Notice::Lost);
    }

    pub fn tell(&self, notice: Notice) {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).insert(notice);
        self.told.notify_one();
    }

    pub fn hear(&self, notice: Notice) {
        if let Notice::Wanted { name } = &notice {
            with(&self.holdings, |holdings| holdings.wanted(name));
        }
        let _ = self.notices.send(notice);
    }

    pub async fn read_clock(&self) {
        if let Some(clock) = &self.clock
            && let Err(error) = clock.read(&*self.store).await
        {
            error.log();
        }
    }
}

/// Renews the lease, and deletes dead replicas.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut ticks = interval(shared.terms.renew_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.renew().await;
        match shared.store.forget_dead(shared.terms.frozen_for).await {
            Ok(0) => {}
            Ok(gone) => tracing::warn!(gone, "other processes have ended: their places are free"),
            Err(error) => drop(error.log()),
        }
    }
}

/// Detects that the lease was lost, releases unused places, and reads the clock.
pub(super) async fn tidy(shared: Arc<Shared>) {
    let mut ticks = interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read: Option<Instant> = None;
    loop {
        ticks.tick().await;
        if !shared.is_current() {
            if shared.membership(|one| one.renewed.is_some()) {
                tracing::warn!("the database does not respond: nothing new starts until it does");
                shared.lose();
            }
            continue;
        }
        let idle = with(&shared.holdings, |holdings| holdings.idle(Instant::now(), KEPT));
        for name in idle {
            let _ = shared.requests.write(Request::Return { name }).await;
        }
        if read.is_none_or(|at| at.elapsed() >= CLOCK_EVERY) {
            read = Some(Instant::now());
            shared.read_clock().await;
        }
    }
}

/// Sends notices, all that are queued at once.
pub(super) async fn send(shared: Arc<Shared>, name: Arc<str>) {
    loop {
        shared.told.notified().await;
        tokio::time::sleep(GATHER).await;
        let gathered = std::mem::take(&mut *shared.outgoing.lock().unwrap_or_else(PoisonError::into_inner));
        let texts: Vec<String> = gathered.iter().filter_map(|notice| notice.write(&name)).collect();
        if !texts.is_empty()
            && let Err(error) = shared.store.notify(&texts).await
        {
            // The other replicas find out by polling.
            error.log();
        }
    }
}
