//! Server side. The outbox: takes a portal's messages over, and sends them.
//!
//! | module | what it is |
//! |---|---|
//! | `content` | texts and files, as they are sealed |
//! | `writes` | what is written together |
//! | `route` | which server a lane's mail goes through |
//! | `destinations` | what lanes wait for, and what is going on with each server, in this process |
//! | `recipient_limits` | how many recipients each takes in a transaction |
//! | `login_check` | conversations without a message |
//! | `dispatcher`, `ready` | hands lanes that have something due to workers |
//! | `memory` | large contents in memory, and whose they are |
//! | `worker` | one connection, a few messages |
//! | `judge` | from a report to what becomes of each recipient |
//! | `status` | from the recipients to what is said of the message |
//! | `maintenance::clock` | the clock that was set, the time that passed without us |
//! | `maintenance` | leases, what was abandoned, what is over, checks |
//!
//! A message is on disk before its portal hears that it was accepted. A worker claims it with a lease, and notes on disk
//! when the end of it is about to be sent. After a crash, what bears that note is `delivery_unknown`, since its server may
//! have it; everything else is sent as if nothing had happened.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::{error::AppError, profile::preset::Catalogue, services::Clock, session::AccountId};
use jiff::{SignedDuration, Timestamp};
use mail::smtp::{Limits, Submitter};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub mod content;
mod destinations;
mod dispatcher;
mod judge;
mod listener;
mod login_check;
mod maintenance;
mod memory;
mod ready;
mod recipient_limits;
mod route;
mod status;
#[cfg(test)]
pub(crate) mod tests;
mod worker;
mod writes;

use content::Content;
use destinations::Destinations;
use memory::Memory;
use ready::Ready;
use recipient_limits::RecipientLimits;
pub use route::NoRoute;
use route::Route;
use writes::Writes;

use crate::{
    admission::{Admission, Caps},
    group_commit::Unavailable,
    ids,
    metrics::Metrics,
    portal_auth::Portal,
    profiles::ProfileService,
    store::{
        Store,
        outbox::{Inserted, Lane, Queue, QueuedMessage, Recipient, ResendOutcome},
    },
    time::Steady,
    vault::{Vault, VaultError},
};

/// What an operator sets.
#[derive(Debug, Clone, Copy)]
pub struct OutboxOptions {
    /// Conversations that have just begun, in all.
    pub workers: u32,
    /// Conversations that wait for slow servers beside them, in all.
    pub waiting: u32,
    /// Conversations of one account at once, of either kind.
    pub per_account: u32,
    /// Connections at once to one server, where nobody says otherwise.
    pub connections: u32,
    pub first_retry: Duration,
    pub longest_retry: Duration,
    /// After so long a message that could not be sent has failed.
    pub give_up_after: SignedDuration,
    pub lease: Duration,
    /// How long a reply may take.
    pub reply: Duration,
    /// How long the answer to a message may take (RFC 5321 §4.5.3.2.6 asks for ten minutes).
    pub last_reply: Duration,
    /// What is known of a finished message is kept so long…
    pub kept: SignedDuration,
    /// …and the content of one that was not accepted so long.
    pub content_kept: SignedDuration,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            workers: 64,
            waiting: 512,
            per_account: 16,
            connections: 2,
            first_retry: Duration::from_secs(60),
            longest_retry: Duration::from_secs(2 * 60 * 60),
            give_up_after: SignedDuration::from_hours(24),
            lease: Duration::from_secs(30),
            reply: Duration::from_secs(60),
            last_reply: Duration::from_secs(600),
            kept: SignedDuration::from_hours(30 * 24),
            content_kept: SignedDuration::from_hours(24),
        }
    }
}

/// A message that a portal hands over, checked.
pub struct MessageDraft {
    pub lane: Lane,
    pub idempotency_key: Option<String>,
    pub request_hash: [u8; 32],
    pub reference: Option<String>,
    pub recipients: Vec<Recipient>,
    pub content: Content,
}

/// A message that was taken over.
pub struct IntakeReceipt {
    pub id: Uuid,
    pub message_id: String,
    /// `false`: it was given before, with the same key.
    pub fresh: bool,
}

/// Why a message was not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    #[error("the key was used for another message")]
    KeyReused,
    #[error("the service is unavailable")]
    Unavailable,
}

impl From<Unavailable> for Refused {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<AppError> for Refused {
    fn from(_: AppError) -> Self {
        Self::Unavailable
    }
}

/// The outbox of every account.
pub struct Outbox {
    store: Arc<dyn Store>,
    book: ProfileService,
    vault: Vault,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    portals: Arc<[Portal]>,
    clock: Clock,
    /// The clocks behind that one, and when they were written down last.
    time: OnceLock<Arc<Steady>>,
    clock_noted_at: Mutex<Option<Instant>>,
    options: OutboxOptions,
    writes: Writes,
    destinations: Destinations,
    recipient_limits: RecipientLimits,
    /// Places for conversations.
    admission: Admission,
    memory: Memory,
    /// Something is due.
    work_available: Notify,
    /// Counts changes of profiles and modes: what was looked up before one is looked up again.
    changes: Changes,
    /// Lanes that may be served now.
    ready: Mutex<Ready>,
    /// The servers of lanes, as they were a moment ago.
    route_cache: Mutex<RouteCache>,
    /// Who holds our leases: one name for each batch that is being worked on. What is not here is not prolonged.
    lease_tokens: Mutex<HashSet<String>>,
    /// One check of logins at a time.
    login_checks: tokio::sync::Mutex<()>,
    stop: CancellationToken,
    /// Cancelled once every worker has exited.
    workers_done: CancellationToken,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

/// By lane: when it was looked up, at which count of changes.
type RouteCache = HashMap<Queue, (Instant, u64, Route)>;

/// Counts the changes of accounts. Several share a count: at worst something is looked up once more. It never grows.
struct Changes([AtomicU64; 1024]);

impl Default for Changes {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 1024])
    }
}

impl Changes {
    fn of_account(&self, account: &AccountId) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        account.hash(&mut hasher);
        &self.0[usize::try_from(hasher.finish() % 1024).unwrap_or_default()]
    }

    fn count(&self, account: &AccountId) {
        self.of_account(account).fetch_add(1, Ordering::SeqCst);
    }

    fn now(&self, account: &AccountId) -> u64 {
        self.of_account(account).load(Ordering::SeqCst)
    }
}

/// What an outbox is made of.
pub struct OutboxParts {
    pub store: Arc<dyn Store>,
    pub book: ProfileService,
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
        let OutboxParts { store, book, vault, submitter, presets, portals, clock, options, metrics } = parts;
        Arc::new(Self {
            writes: Writes::new(&store),
            store,
            book,
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
            recipient_limits: RecipientLimits::default(),
            work_available: Notify::new(),
            changes: Changes::default(),
            ready: Mutex::default(),
            route_cache: Mutex::default(),
            lease_tokens: Mutex::default(),
            login_checks: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
            workers_done: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics,
        })
    }

    /// Minds these clocks: what is stored moves with them.
    pub fn watch(&self, time: Arc<Steady>) {
        let _ = self.time.set(time);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn ready<T>(&self, change: impl FnOnce(&mut Ready) -> T) -> T {
        change(&mut self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a portal is told what happens.
    fn has_webhook(&self, portal: &str) -> bool {
        self.portal(portal).is_some_and(|portal| portal.webhook.is_some())
    }

    fn portal(&self, id: &str) -> Option<&Portal> {
        self.portals.iter().find(|portal| portal.id == id)
    }

    /// Takes a message over. When it returns the message is on disk.
    pub async fn enqueue(&self, given: MessageDraft) -> Result<IntakeReceipt, Refused> {
        let changes = self.changes.now(&given.lane.account);
        let queue = Queue { lane: given.lane.clone(), fallback: false };
        let route = match self.route(&given.lane, false).await {
            Ok(route) => route,
            // What was taken over once is answered in the same way, whatever the account has now.
            Err(error) => return self.replayed(&given).await?.ok_or(error.into()),
        };
        let now = self.now();
        let id = ids::at(now);
        let account = &given.lane.account;
        let (subject, size) = (given.content.head.subject.clone(), given.content.size() as u64);
        let sealed = self.seal(account, id, given.content).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            Refused::Unavailable
        })?;
        let message_id = format!("{}@{}", id.as_simple(), route.sender_domain());
        let message = QueuedMessage {
            id,
            message_id: message_id.clone(),
            lane: given.lane,
            idempotency_key: given.idempotency_key,
            request_hash: given.request_hash,
            reference: given.reference,
            subject,
            size,
            recipients: given.recipients,
            at: now,
            expires_at: now + self.options.give_up_after,
            sealed,
        };
        match self.writes.insert(message).await? {
            Inserted::New => {
                self.metrics.accepted();
                // What waits for a server that rests costs no more than this.
                if self.destinations.blocked(&route.id()).is_none() {
                    self.cache_route(queue.clone(), changes, &route);
                    self.add(queue, &route);
                    self.work_available.notify_one();
                }
                Ok(IntakeReceipt { id, message_id, fresh: true })
            }
            Inserted::Known { id, same: true } => Ok(IntakeReceipt { id, message_id, fresh: false }),
            Inserted::Known { same: false, .. } => Err(Refused::KeyReused),
        }
    }

    /// The message that was given with the same key before.
    async fn replayed(&self, given: &MessageDraft) -> Result<Option<IntakeReceipt>, Refused> {
        let Some(key) = &given.idempotency_key else { return Ok(None) };
        let portal = &given.lane.account.portal;
        let known = self.store.message_by_key(portal, key, &given.request_hash).await;
        match known.map_err(crate::profiles::unavailable)? {
            Some(Inserted::Known { id, same: true }) => {
                Ok(Some(IntakeReceipt { id, message_id: String::new(), fresh: false }))
            }
            Some(_) => Err(Refused::KeyReused),
            None => Ok(None),
        }
    }

    fn seal(&self, account: &AccountId, id: Uuid, content: Content) -> Result<Vec<u8>, VaultError> {
        let encoded = content.encode().map_err(|_| VaultError::DoesNotOpen)?;
        // The files are in memory once.
        drop(content);
        self.vault.seal_content(account, id, encoded)
    }

    /// Sends a finished message again to those who did not get it.
    pub async fn resend(&self, portal: &str, id: Uuid) -> Result<ResendOutcome, Unavailable> {
        let now = self.now();
        let resent = self.store.resend(portal, id, (now, now + self.options.give_up_after), status::resend).await;
        let resent = resent.map_err(|error| {
            crate::profiles::unavailable(error);
            Unavailable
        })?;
        self.work_available.notify_one();
        Ok(resent)
    }

    /// Prolongs the leases of everything that is being worked on; whether that is on disk.
    async fn prolong(&self) -> bool {
        let lease_tokens: Vec<String> =
            self.lease_tokens.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        if lease_tokens.is_empty() {
            return true;
        }
        let until = self.now() + dispatcher::signed(self.options.lease);
        self.store.prolong(&lease_tokens, until).await.map_err(crate::profiles::unavailable).is_ok()
    }

    /// Sends until [`stop`](Self::stop).
    pub fn start(self: &Arc<Self>) {
        self.tasks.spawn(dispatcher::run(self.clone()));
        // Those that are still at work at the end need their leases to the end.
        tokio::spawn(self.workers_done.clone().run_until_cancelled_owned(maintenance::keep_leases(self.clone())));
        self.tasks.spawn(maintenance::run(self.clone()));
    }

    /// Claims nothing more, lets what is under way come to its end for `patience`, and closes the connections. What is not
    /// done by then is taken up after the next start.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "messages were still being sent");
        }
        self.workers_done.cancel();
        self.destinations.tidy(true);
    }

    /// How old something is, in seconds.
    pub fn age_s(&self, at: Timestamp) -> f64 {
        at.duration_until(self.now()).as_secs_f64().max(0.0)
    }

    /// Connections in use and free.
    pub fn connections(&self) -> (u64, u64) {
        self.destinations.connection_counts()
    }

    /// The limits of a conversation about a message of this size: slow servers and slow lines are given their time.
    fn limits(&self, size: u64) -> Limits {
        let OutboxOptions { reply, last_reply, .. } = self.options;
        let line = Duration::from_secs(size / 20_000);
        Limits { reply, last: last_reply, whole: reply * 5 + last_reply + line, ..Limits::default() }
    }
}
