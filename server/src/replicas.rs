//! Server side. Several processes (replicas) that serve from one database.
//!
//! | file | what it is |
//! |---|---|
//! | `places` | the places that this replica has of each limit, and how many of them are in use |
//! | `notice` | what replicas tell each other |
//! | `clock` | the database's clock, which all of them read |
//! | `membership` | whether the others count on this replica, and what it does every few seconds |
//!
//! A limit that holds over all replicas has a name and a number of *places*. A replica takes places in the database and keeps
//! them a moment after their use, so that one conversation after another costs nothing. It says every few seconds that it is
//! still there. When it could not for [`Terms::trusted_for`], it behaves as if it had lost everything: it begins nothing more, closes
//! its connections and leaves what is under way, unless that has passed its commit point. The others take its places later than
//! that. Where one process serves (SQLite), every place is granted without a question: limits are counted in the process.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::{
    group_commit::GroupCommit,
    store::{
        StoreError,
        replicas::{Rate, ReplicaStore},
    },
};

mod clock;
mod membership;
mod notice;
mod places;
#[cfg(test)]
pub(crate) mod tests;

pub use clock::DatabaseClock;
use membership::{Membership, Shared, with};
pub use notice::Notice;
pub use places::Place;
use places::{Holdings, Request};

/// How long replicas count on each other.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// So long a replica counts as there after it said so.
    pub lease: Duration,
    /// It says so this often.
    pub renew_every: Duration,
    /// So long after the last time it counts on that itself: a little less than the others do.
    pub trusted_for: Duration,
    /// A process that stands still keeps its connections, and so its places, beyond its lease; but not for ever.
    pub frozen_for: Duration,
}

/// What is usual.
pub const TERMS: Terms = Terms {
    lease: Duration::from_secs(30),
    renew_every: Duration::from_secs(5),
    trusted_for: Duration::from_secs(27),
    frozen_for: Duration::from_secs(90),
};

/// How long to wait for a rate that the database does not tell.
const UNKNOWN_RATE: Duration = Duration::from_secs(5);
/// Notices that somebody may be behind with. Who is further behind is told [`Notice::Missed`].
const NOTICES: usize = 1_024;

/// This process among those that serve from the database.
#[derive(Clone)]
pub struct Replicas {
    name: Arc<str>,
    shared: Option<Arc<Shared>>,
}

impl Replicas {
    /// The only process.
    pub fn alone() -> Self {
        Self { name: uuid::Uuid::new_v4().to_string().into(), shared: None }
    }

    /// One of several, under this number. It counts as there from [`Self::start`] on.
    pub fn among(store: Arc<dyn ReplicaStore>, id: i32, clock: Option<Arc<DatabaseClock>>, terms: Terms) -> Self {
        let holdings = Arc::new(Mutex::new(Holdings::default()));
        let (setting, held) = (store.clone(), holdings.clone());
        let requests = GroupCommit::start(move |requests: Vec<Request>| {
            let (store, holdings) = (setting.clone(), held.clone());
            async move {
                let (epoch, targets) = with(&holdings, |holdings| (holdings.epoch(), holdings.plan(&requests)));
                let set = store.set_places(id, &targets).await;
                let granted =
                    with(&holdings, |holdings| holdings.settle(epoch, &requests, &targets, set.as_deref().ok()));
                // Who asked may be gone: then the place is free again.
                let places = targets.into_iter().zip(granted);
                let places = places.map(|(target, granted)| granted.then(|| Place::new(&holdings, target.name, epoch)));
                let places: Vec<Option<Place>> = places.collect();
                (requests, set.map(|_| places))
            }
        });
        let shared = Shared {
            id,
            terms,
            store,
            holdings,
            requests,
            membership: Mutex::new(Membership { renewed: None, lost: CancellationToken::new() }),
            clock,
            notices: broadcast::channel(NOTICES).0,
            outgoing: Mutex::default(),
            told: Notify::new(),
            stop: CancellationToken::new(),
        };
        Self { name: uuid::Uuid::new_v4().to_string().into(), shared: Some(Arc::new(shared)) }
    }

    /// Unique to this process, whatever started before or will start: leases bear it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there may be others.
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether this process may begin something: the others count on it.
    pub fn is_current(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.is_current())
    }

    /// Cancelled when this replica has lost its places. Asked for again it is about the next time.
    pub fn lost(&self) -> CancellationToken {
        self.shared.as_ref().map_or_else(CancellationToken::new, |shared| shared.membership(|one| one.lost.clone()))
    }

    /// Takes a place of a limit; `None` where all replicas together have `most` of them, or the database does not answer.
    pub async fn take(&self, name: impl FnOnce() -> String, most: u32) -> Option<Place> {
        let Some(shared) = &self.shared else { return Some(Place::unlimited()) };
        let name = name();
        let place = shared.take(&name, most).await;
        if place.is_none() {
            shared.tell(Notice::Wanted { name });
        }
        place
    }

    /// The same; the others are not told that it is wanted.
    pub async fn take_if_free(&self, name: impl FnOnce() -> String, most: u32) -> Option<Place> {
        match &self.shared {
            Some(shared) => shared.take(&name(), most).await,
            None => Some(Place::unlimited()),
        }
    }

    /// Takes what one replica does at a time; `None`: another one does it.
    pub async fn take_turn(&self, name: impl FnOnce() -> String) -> Option<Place> {
        self.take_if_free(name, 1).await
    }

    /// How many places of a limit this replica uses.
    pub fn in_use(&self, name: &str) -> u32 {
        self.shared.as_ref().map_or(0, |shared| with(&shared.holdings, |holdings| holdings.in_use(name)))
    }

    /// Takes up to `wanted` out of what may happen now, over all replicas; where there is nothing, how long to wait.
    pub async fn take_rate(&self, name: &str, rate: Rate, wanted: u32) -> Result<u32, Duration> {
        let Some(shared) = &self.shared else { return Ok(wanted) };
        match shared.store.take_rate(name, rate, wanted).await {
            Ok(taken) => taken,
            Err(error) => {
                error.log();
                Err(UNKNOWN_RATE)
            }
        }
    }

    /// Tells the others.
    pub fn tell(&self, notice: Notice) {
        if let Some(shared) = &self.shared {
            shared.tell(notice);
        }
    }

    /// What others tell.
    pub fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        self.shared.as_ref().map(|shared| shared.notices.subscribe())
    }

    /// Where a listener puts what it hears; nothing, when something may have been missed.
    pub fn heard(&self, text: Option<&str>) {
        let notice = match text {
            Some(text) => Notice::read(text, &self.name),
            None => Some(Notice::Missed),
        };
        if let Some((shared, notice)) = self.shared.as_ref().zip(notice) {
            shared.hear(notice);
        }
    }

    /// Whether no other replica is there.
    pub async fn is_only(&self) -> bool {
        let Some(shared) = &self.shared else { return true };
        shared.store.others(shared.id).await.map_err(StoreError::log).is_ok_and(|others| others == 0)
    }

    /// Reads the database's clock now.
    pub async fn read_clock(&self) {
        if let Some(shared) = &self.shared {
            shared.read_clock().await;
        }
    }

    /// Is there from now on, until [`Self::leave`].
    pub async fn start(&self) {
        let Some(shared) = &self.shared else { return };
        shared.renew().await;
        let name = self.name.clone();
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::keep(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::tidy(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::send(shared.clone(), name)));
    }

    /// Gives everything back: nothing is under way any more.
    pub async fn leave(&self) {
        let Some(shared) = &self.shared else { return };
        shared.stop.cancel();
        shared.lose();
        if let Err(error) = shared.store.leave(shared.id).await {
            error.log();
        }
    }
}
