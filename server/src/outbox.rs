//! Server side. The outbox: accepts messages from portals and sends them.
//!
//! | module | what it is |
//! |---|---|
//! | `intake` | accepts messages from portals |
//! | `content`, `fresh` | sealed texts and files; a cache of the newest |
//! | `writes` | group commit of the outbox's writes |
//! | `route` | which server a lane's messages go through |
//! | `destinations` | what lanes wait for, and this process's connections with each server |
//! | `recipient_limits` | how many recipients each server takes in a transaction |
//! | `login_check` | conversations without a message |
//! | `dispatcher`, `ready` | assigns lanes with due messages to workers |
//! | `memory` | memory budget of large contents, by party |
//! | `worker` | one connection sends a few messages |
//! | `judge` | from a report to the outcome for each recipient |
//! | `status` | from the recipients to the message's status |
//! | `shared` | what several replicas share |
//! | `maintenance::clock` | clock changes, and time without any process |
//! | `maintenance` | leases, abandoned messages, retention, login checks |
//!
//! A message is on disk before its portal gets the acknowledgement. A worker claims it with a lease, and notes on disk
//! that the end of it is about to be sent. After a crash, a message with that mark becomes `delivery_unknown`, since
//! its server may have it; every other message is sent as if nothing had happened.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use app::{profile::preset::Catalogue, services::Clock};
use jiff::Timestamp;
use mail::smtp::{Limits, Submitter};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

mod changes;
pub mod content;
mod conversation;
mod destinations;
mod dispatcher;
mod fresh;
mod intake;
mod judge;
mod listener;
mod login_check;
mod maintenance;
mod memory;
mod options;
mod ready;
mod recipient_limits;
mod route;
mod shared;
mod status;
#[cfg(test)]
pub(crate) mod tests;
mod worker;
mod writes;

use changes::Changes;
use destinations::Destinations;
use fresh::FreshContents;
pub use intake::{IntakeReceipt, MessageDraft, Refused};
use memory::Memory;
pub use options::OutboxOptions;
use ready::Ready;
use recipient_limits::RecipientLimits;
use route::FoundRoute;
pub use route::NoRoute;
use writes::Writes;

use crate::{
    admission::{Admission, Caps},
    credentials::Vault,
    metrics::Metrics,
    portal::Portal,
    profiles::ProfileService,
    replicas::{Place, Replicas},
    store::{Store, StoreError, outbox::Queue},
    time::Steady,
};

/// The outbox of every account.
pub struct Outbox {
    store: Arc<dyn Store>,
    replicas: Replicas,
    profiles: ProfileService,
    vault: Vault,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    portals: Arc<[Portal]>,
    clock: Clock,
    /// The clocks from which that time is computed, and when they were last written to the database.
    time: OnceLock<Arc<Steady>>,
    clock_noted_at: Mutex<Option<Instant>>,
    options: OutboxOptions,
    writes: Writes,
    destinations: Destinations,
    recipient_limits: RecipientLimits,
    /// Slots for conversations.
    admission: Admission,
    memory: Memory,
    fresh: FreshContents,
    /// Notified when something is due.
    work_available: Notify,
    /// Counts changes of profiles and modes: a route looked up before a change is looked up again.
    changes: Changes,
    /// Another replica says that something is due.
    look_soon: AtomicBool,
    /// Lanes that may be served now.
    ready: Mutex<Ready>,
    /// The servers of lanes, cached for a second.
    route_cache: Mutex<RouteCache>,
    /// The tokens of our leases, one for each batch in work. A lease whose token is missing here is not extended.
    lease_tokens: Mutex<HashSet<String>>,
    /// How many tokens were made.
    leases: AtomicU64,
    /// Held while this replica does the work that one replica does for all.
    turn: tokio::sync::Mutex<Option<Place>>,
    /// One pass of login checks at a time.
    login_checks: tokio::sync::Mutex<()>,
    stop: CancellationToken,
    /// Cancelled once every worker has exited.
    workers_done: CancellationToken,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

/// By lane.
type RouteCache = HashMap<Queue, CachedRoute>;

struct CachedRoute {
    looked_up: Instant,
    found: FoundRoute,
}

/// The parts of an outbox.
pub struct OutboxParts {
    pub store: Arc<dyn Store>,
    pub replicas: Replicas,
    pub profiles: ProfileService,
    pub vault: Vault,
    pub submitter: Arc<Submitter>,
    pub presets: Arc<Catalogue>,
    pub portals: Arc<[Portal]>,
    pub clock: Clock,
    pub options: OutboxOptions,
    pub metrics: Arc<Metrics>,
}

impl Outbox {
    pub fn new(parts: OutboxParts) -> Arc<Self> {
        let OutboxParts { store, replicas, profiles, vault, submitter, presets, portals, clock, options, metrics } =
            parts;
        Arc::new(Self {
            writes: Writes::new(&store),
            store,
            replicas,
            profiles,
            vault,
            submitter,
            presets,
            portals,
            clock,
            time: OnceLock::new(),
            clock_noted_at: Mutex::default(),
            options,
            destinations: Destinations::default(),
            admission: Admission::new(Caps::new(options.workers, options.waiting, options.per_account)),
            memory: Memory::default(),
            fresh: FreshContents::default(),
            recipient_limits: RecipientLimits::default(),
            work_available: Notify::new(),
            look_soon: AtomicBool::new(false),
            changes: Changes::default(),
            ready: Mutex::default(),
            route_cache: Mutex::default(),
            lease_tokens: Mutex::default(),
            leases: AtomicU64::default(),
            turn: tokio::sync::Mutex::default(),
            login_checks: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
            workers_done: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics,
        })
    }

    /// Watches these clocks: stored instants move with them.
    pub fn watch(&self, time: Arc<Steady>) {
        let _ = self.time.set(time);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn ready<T>(&self, change: impl FnOnce(&mut Ready) -> T) -> T {
        change(&mut self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a portal has a webhook.
    fn has_webhook(&self, portal: &str) -> bool {
        self.portal(portal).is_some_and(|portal| portal.webhook.is_some())
    }

    fn portal(&self, id: &str) -> Option<&Portal> {
        self.portals.iter().find(|portal| portal.id == id)
    }

    /// Extends the leases of every message in work. Returns whether that is on disk.
    async fn prolong(&self) -> bool {
        let lease_tokens: Vec<String> =
            self.lease_tokens.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        if lease_tokens.is_empty() {
            return true;
        }
        let until = self.now() + crate::time::signed(self.options.lease);
        self.store.prolong(&lease_tokens, until).await.map_err(StoreError::log).is_ok()
    }

    /// Sends until [`stop`](Self::stop).
    pub fn start(self: &Arc<Self>) {
        if let Some(notices) = self.replicas.notices() {
            tokio::spawn(self.clone().hear(notices));
        }
        self.tasks.spawn(dispatcher::run(self.clone()));
        // Workers that still send during a shutdown need their leases until they exit.
        tokio::spawn(self.workers_done.clone().run_until_cancelled_owned(maintenance::keep_leases(self.clone())));
        self.tasks.spawn(maintenance::run(self.clone()));
    }

    /// Claims no more messages, gives running conversations `patience` to end, and closes the connections. The rest is
    /// sent after the next start.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "messages were still being sent");
        }
        self.workers_done.cancel();
        self.destinations.tidy(true);
    }

    /// The age of an instant, in seconds.
    pub fn age_s(&self, at: Timestamp) -> f64 {
        at.duration_until(self.now()).as_secs_f64().max(0.0)
    }

    /// Connections in use, and idle ones.
    pub fn connections(&self) -> (u64, u64) {
        self.destinations.connection_counts()
    }

    /// The time limits of a conversation for a message of this size: slow servers and slow lines get enough time.
    fn limits(&self, size: u64) -> Limits {
        let OutboxOptions { reply, last_reply, .. } = self.options;
        let line = Duration::from_secs(size / 20_000);
        Limits { reply, last: last_reply, whole: reply * 5 + last_reply + line, ..Limits::default() }
    }
}
