//! Server side. One connection sends a few messages of one lane.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::AtomicBool,
    time::Duration,
};

use jiff::Timestamp;
use lettre::Address;
use mail::smtp::{Connection, Delivery, Fate, Parting, until};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Outbox,
    conversation::{Line, Places},
    judge::takes_nobody_any_more,
    route::Route,
};
use crate::{
    admission::{SLOW_AFTER, Slot},
    replicas::Place,
    store::outbox::{Recipient, StoredMessage},
    submission::of_token,
};

mod ahead;
mod behind;
mod commit_point;
mod compose;
mod permission;
mod room;
mod settlement;
mod token;
mod turns;

use ahead::Prepared;
use behind::Behind;
use commit_point::LeaseCommitPoint;
use room::Space;
use turns::{Turn, next_in_turn, refused_for_now};

/// How long a cached route is trusted: another replica may have changed the profile.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);
/// Pause before a failed write is retried.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// How often a transaction that settled no recipient is retried at once with fewer recipients.
const SPLITS: u32 = 8;
/// While other lanes wait for a worker, no message of a batch starts after this time.
const TURN: Duration = Duration::from_millis(200);
/// Longest wait for a send permit before the worker yields.
const PATIENCE: Duration = Duration::from_secs(3);

/// The server to send through, and the lease the messages were claimed under.
pub(super) struct Work<'a> {
    pub route: Route,
    /// The account's change count when the route was looked up.
    pub changes: u64,
    /// The message probes whether a server in back-off has recovered.
    pub probe: bool,
    pub lease_token: &'a str,
}

/// Sends the messages one after another, and releases those that cannot be tried now.
pub(super) async fn work(
    outbox: &Outbox,
    Work { route, changes, probe, lease_token }: Work<'_>,
    messages: Vec<StoredMessage>,
    (Places { slot, connection: slot_at_server, .. }, line): (&Places, Line),
) {
    let mut worker = Worker {
        connection: line.connection,
        parting: None,
        place: line.place,
        lost: outbox.replicas.lost(),
        destination: route.destination_key(),
        changes,
        probe,
        looked_up: Instant::now(),
        outbox,
        lease_token,
        route,
        slot,
        contents: HashMap::new(),
        ahead: None,
        behind: None,
        renewed_for: None,
    };
    worker.read_contents(&messages).await;
    let mut left = VecDeque::from(messages);
    let began = Instant::now();
    while let Some(message) = left.pop_front() {
        // Lanes that wait for a worker come before the rest of this batch.
        let is_last = began.elapsed() >= TURN && outbox.somebody_waits();
        let following = left.front().filter(|_| !is_last);
        let next = match worker.send(&message, following).await {
            Next::Message if is_last => Next::GiveBack { this: false, after: Duration::ZERO },
            next => next,
        };
        match next {
            Next::Message | Next::GoOn(_) => {}
            Next::GiveBack { this, after } => {
                let left = left.iter().map(|row| row.id);
                let ids: Vec<Uuid> = this.then_some(message.id).into_iter().chain(left).collect();
                let next_at = outbox.now() + crate::time::signed(after);
                give_back(outbox, lease_token, &ids, next_at).await;
                break;
            }
        }
    }
    worker.finish_behind().await;
    worker.finish_probe().await;
    let Worker { connection, parting, place, route, .. } = worker;
    let id = &slot_at_server.id;
    match (connection, parting) {
        // The server has begun a transaction for a message that is not sent now.
        (Some(open), _) if open.has_begun() => outbox.destinations.part(id, open.close(), place),
        (Some(open), _) => outbox.destinations.park(id, route.fingerprint(), open, place),
        (None, Some(parting)) => outbox.destinations.part(id, parting, place),
        (None, None) => {}
    }
}

/// Releases messages, however long the disk takes: otherwise our lease would block every replica.
async fn give_back(outbox: &Outbox, lease_token: &str, ids: &[Uuid], next_at: Timestamp) {
    while !ids.is_empty()
        && let Err(error) = outbox.store.release(lease_token, ids, next_at).await
    {
        error.log();
        if outbox.stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(ONCE_MORE).await;
    }
}

/// What a worker does after a message.
enum Next {
    Message,
    /// The next transaction of the same message, for these recipients.
    GoOn(Vec<Recipient>),
    /// Releases the remaining messages, and `this` one if set, to be tried after this delay.
    GiveBack {
        this: bool,
        after: Duration,
    },
}

struct Worker<'a> {
    outbox: &'a Outbox,
    /// The lease the messages were claimed under.
    lease_token: &'a str,
    route: Route,
    destination: String,
    /// The probe has no result yet.
    probe: bool,
    slot: &'a Slot,
    connection: Option<Connection>,
    /// The previous connection, until it is closed.
    parting: Option<Parting>,
    /// The connection's place, shared by all replicas.
    place: Place,
    /// Sealed contents of the small messages among those claimed.
    contents: HashMap<Uuid, Vec<u8>>,
    /// The next message, once it is composed.
    ahead: Option<Prepared>,
    /// The previous message, while its outcome is being written.
    behind: Option<Behind>,
    /// The message whose access token was replaced after a refusal: that happens once.
    renewed_for: Option<Uuid>,
    /// Cancelled when this replica has lost its places.
    lost: CancellationToken,
    /// The account's change count when the route was looked up, and the time of that look-up.
    changes: u64,
    looked_up: Instant,
}

/// One transaction of a message.
struct Transaction<'a> {
    began: Timestamp,
    /// The recipients named in it.
    to: &'a [String],
    /// Other recipients were left out, and have had no transaction yet.
    others: bool,
    /// If it settles no recipient, it may be retried at once.
    may_split: bool,
    /// Its connection already carried a transaction of this message.
    same_connection: bool,
}

impl Worker<'_> {
    /// Sends one message, in as many transactions as its server needs for the recipients. `following` is the next one.
    async fn send(&mut self, message: &StoredMessage, following: Option<&StoredMessage>) -> Next {
        let (mut submission, login_gate, room) = match self.ready(message).await {
            Ok(ready) => ready,
            Err(next) => return next,
        };
        let limits = self.outbox.limits(message.size);
        let everybody: HashMap<String, Address> =
            std::mem::take(&mut submission.to).into_iter().map(|address| (address.to_string(), address)).collect();
        let mut message = message.clone();
        let (mut splits, mut same_connection) = (0, false);
        // Recipients refused for now: no other transaction before the remaining ones had theirs.
        let mut refused: HashSet<String> = HashSet::new();
        loop {
            let Turn { waiting, together } = next_in_turn(&message.recipients, &refused);
            if waiting.is_empty() {
                return Next::GiveBack { this: true, after: self.outbox.options.first_retry };
            }
            let most = self.outbox.recipient_limits.of(&self.route.id()).unwrap_or(usize::MAX);
            let to = &waiting[..waiting.len().min(most).min(together)];
            submission.to = to.iter().filter_map(|address| everybody.get(address)).cloned().collect();
            let before = turns::waiting(&message.recipients).count();
            let next = if to.len() == before { self.prepare(following).await } else { None };
            let began = self.outbox.now();
            let commit_point = LeaseCommitPoint {
                outbox: self.outbox,
                lease_token: self.lease_token,
                id: message.id,
                waiting: before,
                reached: AtomicBool::new(false),
            };
            let next_submission = next.as_ref().map(|prepared| &prepared.submission);
            let stumbles = self.outbox.destinations.stumbles(&self.route.id());
            self.closed().await;
            let connection = self.connection.take().map(|open| if stumbles { open.end_alone() } else { open });
            let delivery = Box::pin(self.outbox.submitter.deliver_and_begin(
                &submission,
                next_submission,
                connection,
                limits,
                &commit_point,
            ));
            let delivery_began = Instant::now();
            let stall = || {
                if let Space::Large { memory, .. } = &room {
                    memory.stall();
                }
            };
            let delivery = self.slot.watch_or(delivery, stall);
            let ended = if self.outbox.replicas.is_shared() {
                let lost = commit_point.lost_before(&self.lost);
                until(submission.credentials.as_ref(), Box::pin(delivery), lost).await
            } else {
                Some(delivery.await)
            };
            let Some(Delivery { report, connection, parting, fate, stumbled }) = ended else {
                return Next::GiveBack { this: true, after: Duration::ZERO }; // Other replicas have the message now.
            };
            let slow = delivery_began.elapsed() >= SLOW_AFTER;
            (self.connection, self.parting, self.ahead) = (connection, parting, next);
            if stumbled {
                self.outbox.destinations.stumbled(&self.route.id());
            }
            let is_written = self.finish_behind().await;
            if let Some(withheld) = login_gate.as_ref().and_then(|gate| gate.withheld()) {
                return self.after_no_login(withheld).await;
            }
            if fate == Some(Fate::Withheld) {
                // The lease has ended, or the disk does not respond: the next lease holder continues.
                return Next::GiveBack { this: true, after: self.outbox.options.first_retry };
            }
            match self.renew_token(message.id, &report, &mut submission, login_gate.clone()).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(next) => return next,
            }
            let report = if self.uses_a_token() { of_token(report) } else { report };
            let others = waiting.len() > to.len();
            // A connection limit is not a recipient's fault.
            if !(same_connection && takes_nobody_any_more(&report)) {
                refused.extend(refused_for_now(&report));
            }
            self.outbox.recipient_limits.told(&self.route.id(), &report, to.len());
            let transaction = Transaction { began, to, others, may_split: splits < SPLITS, same_connection };
            same_connection = self.connection.is_some();
            match self.settle(&message, report, transaction).await {
                // Yield to the other lanes of the account.
                Next::Message if !is_written => {
                    return Next::GiveBack { this: false, after: self.outbox.options.first_retry };
                }
                Next::Message if slow => return Next::GiveBack { this: false, after: Duration::ZERO },
                Next::GoOn(_) if slow => return Next::GiveBack { this: true, after: Duration::ZERO },
                Next::GoOn(recipients) => message.recipients = recipients,
                next => return next,
            }
            splits += u32::from(turns::waiting(&message.recipients).count() == before);
            let changes = self.changes;
            if let Err(next) = self.may_send(&message).await {
                return next;
            }
            if changes != self.changes {
                // Compose the message again, with the current settings.
                return Next::GiveBack { this: true, after: Duration::ZERO };
            }
        }
    }
}
