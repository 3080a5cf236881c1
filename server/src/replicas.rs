//! Server side. Several processes (replicas) that serve from one database.
//!
//! | file | what it is |
//! |---|---|
//! | `places` | the places that this replica has of each limit, and how many of them are in use |
//! | `notice` | what replicas tell each other |
//! | `clock` | the database's clock, which all of them read |
//!
//! A limit that holds over all replicas has a name and a number of *places*. A replica takes places in the database and keeps
//! them a moment after their use, so that one conversation after another costs nothing. It says every few seconds that it is
//! still there. When it could not for [`Terms::trusted_for`], it behaves as if it had lost everything: it begins nothing more, closes
//! its connections and leaves what is under way, unless that has passed its commit point. The others take its places later than
//! that. Where one process serves (SQLite), every place is granted without a question: limits are counted in the process.

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

use crate::{
    group_commit::GroupCommit,
    store::{
        StoreError,
        replicas::{Rate, ReplicaStore},
    },
};

mod clock;
mod notice;
mod places;
#[cfg(test)]
pub(crate) mod tests;

pub use clock::DatabaseClock;
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
/// Places that are not in use are given back after so long, or when somebody else wants them.
const KEPT: Duration = Duration::from_secs(2);
/// How often that is looked at.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// How often the database's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// Notices that gather for so long are sent together.
const GATHER: Duration = Duration::from_millis(20);
/// Notices that somebody may be behind with. Who is further behind is told [`Notice::Missed`].
const NOTICES: usize = 1_024;

/// This process among those that serve from the database.
#[derive(Clone)]
pub struct Replicas {
    name: Arc<str>,
    shared: Option<Arc<Shared>>,
}

struct Shared {
    id: i32,
    terms: Terms,
    store: Arc<dyn ReplicaStore>,
    holdings: Arc<Mutex<Holdings>>,
    requests: GroupCommit<Request, Option<Place>>,
    membership: Mutex<Membership>,
    clock: Option<Arc<DatabaseClock>>,
    notices: broadcast::Sender<Notice>,
    outgoing: Mutex<HashSet<Notice>>,
    told: Notify,
    stop: CancellationToken,
}

/// Whether the others count on this replica.
struct Membership {
    renewed: Option<Instant>,
    /// Cancelled when it has lost its places.
    lost: CancellationToken,
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
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(keep(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(tidy(shared.clone())));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(send(shared.clone(), name)));
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

fn with<T>(holdings: &Mutex<Holdings>, change: impl FnOnce(&mut Holdings) -> T) -> T {
    change(&mut holdings.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Shared {
    fn membership<T>(&self, change: impl FnOnce(&mut Membership) -> T) -> T {
        change(&mut self.membership.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn take(&self, name: &str, most: u32) -> Option<Place> {
        if !self.is_current() {
            return None;
        }
        if let Some(epoch) = with(&self.holdings, |holdings| holdings.take(name, most)) {
            return Some(Place::new(&self.holdings, name.to_owned(), epoch));
        }
        self.requests.write(Request::Take { name: name.to_owned(), most }).await.ok().flatten()
    }

    fn is_current(&self) -> bool {
        self.membership(|one| one.renewed.is_some_and(|at| at.elapsed() < self.terms.trusted_for))
    }

    /// Says that this replica is there. Counted from before it was said.
    async fn renew(&self) {
        let (began, afresh, epoch) =
            (Instant::now(), !self.is_current(), with(&self.holdings, |holdings| holdings.epoch()));
        match self.store.renew(self.id, self.terms.lease, afresh).await {
            Ok(known) => {
                if with(&self.holdings, |holdings| holdings.epoch()) != epoch {
                    // It lost its places meanwhile, and the database does not know it.
                    return;
                }
                if !known && !afresh {
                    tracing::warn!("this process was away for too long: others have its places");
                    self.lose();
                }
                self.membership(|one| one.renewed = Some(began));
            }
            Err(error) => drop(error.log()),
        }
    }

    /// The places are somebody else's now, or will be soon.
    fn lose(&self) {
        self.membership(|one| {
            one.renewed = None;
            std::mem::take(&mut one.lost).cancel();
        });
        with(&self.holdings, Holdings::lose);
        let _ = self.notices.send(Notice::Lost);
    }

    fn tell(&self, notice: Notice) {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).insert(notice);
        self.told.notify_one();
    }

    fn hear(&self, notice: Notice) {
        if let Notice::Wanted { name } = &notice {
            with(&self.holdings, |holdings| holdings.wanted(name));
        }
        let _ = self.notices.send(notice);
    }

    async fn read_clock(&self) {
        if let Some(clock) = &self.clock
            && let Err(error) = clock.read(&*self.store).await
        {
            error.log();
        }
    }
}

/// Says that this replica is there, and forgets others that are not.
async fn keep(shared: Arc<Shared>) {
    let mut ticks = interval(shared.terms.renew_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.renew().await;
        match shared.store.forget_dead(shared.terms.frozen_for).await {
            Ok(0) => {}
            Ok(gone) => tracing::warn!(gone, "other processes are gone: their places are free"),
            Err(error) => drop(error.log()),
        }
    }
}

/// Notices that the others do not count on this replica any more, gives places back, and reads the clock.
async fn tidy(shared: Arc<Shared>) {
    let mut ticks = interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read: Option<Instant> = None;
    loop {
        ticks.tick().await;
        if !shared.is_current() {
            if shared.membership(|one| one.renewed.is_some()) {
                tracing::warn!("the database does not answer: nothing is begun until it does");
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

/// Sends notices, those that came together at once.
async fn send(shared: Arc<Shared>, name: Arc<str>) {
    loop {
        shared.told.notified().await;
        tokio::time::sleep(GATHER).await;
        let gathered = std::mem::take(&mut *shared.outgoing.lock().unwrap_or_else(PoisonError::into_inner));
        let texts: Vec<String> = gathered.iter().filter_map(|notice| notice.write(&name)).collect();
        if !texts.is_empty()
            && let Err(error) = shared.store.notify(&texts).await
        {
            // They find out by looking.
            error.log();
        }
    }
}
