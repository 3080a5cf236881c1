//! Server side. Several processes (replicas) that serve from one database.
//!
//! | file | what it is |
//! |---|---|
//! | `places` | the places this replica holds of each limit, and how many are in use |
//! | `notice` | notices between replicas |
//! | `clock` | the database's clock, which all of them use |
//! | `membership` | this replica's lease, and its periodic work |
//!
//! A limit that holds over all replicas has a name and a number of *places*. A replica takes places in the database and
//! keeps them a moment after their use, so that one conversation after another costs no query. It renews its lease
//! every few seconds. If it could not for [`Terms::trusted_for`], it acts as if it had lost everything: it starts
//! nothing new, closes its connections and abandons running conversations, except those past their commit point. The
//! others take its places only after that. A single process (SQLite) gets every place without a query: limits are
//! counted in the process.

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

/// The times of a replica's lease.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long a lease lasts.
    pub lease: Duration,
    /// How often it is renewed.
    pub renew_every: Duration,
    /// How long a replica trusts its own lease: a little less than the others do.
    pub trusted_for: Duration,
    /// A paused process keeps its connections, and so its places, beyond its lease, but at most this long.
    pub frozen_for: Duration,
}

/// The usual times.
pub const TERMS: Terms = Terms {
    lease: Duration::from_secs(30),
    renew_every: Duration::from_secs(5),
    trusted_for: Duration::from_secs(27),
    frozen_for: Duration::from_secs(90),
};

/// How long to wait for a rate when the database does not answer.
const UNKNOWN_RATE: Duration = Duration::from_secs(5);
/// Capacity of the channel of notices. A receiver that falls further behind gets [`Notice::Missed`].
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

    /// One of several, under this number. Its lease begins with [`Self::start`].
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
                // If the caller is gone, dropping the place frees it again.
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

    /// Unique among all processes, past and future: lease tokens contain it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there may be other replicas.
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether this process may start something: it holds its lease.
    pub fn is_current(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.is_current())
    }

    /// Cancelled when this replica loses its places. A later call returns the token of the next loss.
    pub fn lost(&self) -> CancellationToken {
        self.shared.as_ref().map_or_else(CancellationToken::new, |shared| shared.membership(|one| one.lost.clone()))
    }

    /// Takes a place of a limit; `None` where all replicas together have `most` of them, or the database does not
    /// answer.
    pub async fn take(&self, name: impl FnOnce() -> String, most: u32) -> Option<Place> {
        let Some(shared) = &self.shared else { return Some(Place::unlimited()) };
        let name = name();
        let place = shared.take(&name, most).await;
        if place.is_none() {
            shared.tell(Notice::Wanted { name });
        }
        place
    }

    /// The same, without telling the others that a place is wanted.
    pub async fn take_if_free(&self, name: impl FnOnce() -> String, most: u32) -> Option<Place> {
        match &self.shared {
            Some(shared) => shared.take(&name(), most).await,
            None => Some(Place::unlimited()),
        }
    }

    /// Takes the turn for work that one replica does at a time; `None`: another one has it.
    pub async fn take_turn(&self, name: impl FnOnce() -> String) -> Option<Place> {
        self.take_if_free(name, 1).await
    }

    /// How many places of a limit this replica uses.
    pub fn in_use(&self, name: &str) -> u32 {
        self.shared.as_ref().map_or(0, |shared| with(&shared.holdings, |holdings| holdings.in_use(name)))
    }

    /// Takes up to `wanted` of what the rate allows now, over all replicas; if that is nothing, returns how long to
    /// wait.
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

    /// Notifies the other replicas.
    pub fn tell(&self, notice: Notice) {
        if let Some(shared) = &self.shared {
            shared.tell(notice);
        }
    }

    /// The notices of other replicas.
    pub fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        self.shared.as_ref().map(|shared| shared.notices.subscribe())
    }

    /// Receives the text of a notice from a listener; `None` when notices may have been lost.
    pub fn heard(&self, text: Option<&str>) {
        let notice = match text {
            Some(text) => Notice::read(text, &self.name),
            None => Some(Notice::Missed),
        };
        if let Some((shared, notice)) = self.shared.as_ref().zip(notice) {
            shared.hear(notice);
        }
    }

    /// Whether no other replica is running.
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

    /// Holds the lease from now on, until [`Self::leave`].
    pub async fn start(&self) {
        let Some(shared) = &self.shared else { return };
        shared.renew().await;
        let name = self.name.clone();
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::keep(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::tidy(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(membership::send(shared.clone(), name)));
    }

    /// Releases everything: nothing is running any more.
    pub async fn leave(&self) {
        let Some(shared) = &self.shared else { return };
        shared.stop.cancel();
        shared.lose();
        if let Err(error) = shared.store.leave(shared.id).await {
            error.log();
        }
    }
}
