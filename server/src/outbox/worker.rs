//! Server side. One connection, a few messages of one lane.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::AtomicBool,
    time::Duration,
};

use jiff::Timestamp;
use lettre::Address;
use mail::smtp::{Connection, Delivery, Fate, until};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Outbox,
    dispatcher::{Line, Places, signed},
    judge::takes_nobody_any_more,
    route::Route,
};
use crate::{
    admission::{SLOW_AFTER, Slot},
    credentials::logins::Withheld,
    replicas::Place,
    store::outbox::{Recipient, StoredMessage},
};

mod commit_point;
mod compose;
mod permission;
mod room;
mod settlement;
mod turns;

use commit_point::LeaseCommitPoint;
use compose::Unsendable;
use room::{Space, room_for};
use turns::{Turn, next_in_turn, refused_for_now};

/// What was looked up is looked up again after so long: another replica may have changed it.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);
/// Between two tries of what must be written.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// How often a transaction that came to nothing is had again at once with fewer recipients.
const SPLITS: u32 = 8;
/// A worker waits so long for the leave to send; after that others may have its place.
const PATIENCE: Duration = Duration::from_secs(3);

/// Through which server messages are sent, and in whose name they were claimed.
pub(super) struct Work<'a> {
    pub route: Route,
    /// The count of changes when the route was looked up.
    pub changes: u64,
    /// The message tells whether a server that rested has come round.
    pub probe: bool,
    pub lease_token: &'a str,
}

/// Sends the messages, one after another. What cannot be tried now is given back.
pub(super) async fn work(
    outbox: &Outbox,
    Work { route, changes, probe, lease_token }: Work<'_>,
    messages: Vec<StoredMessage>,
    (Places { slot, connection: slot_at_server, .. }, line): (&Places, Line),
) {
    let mut worker = Worker {
        connection: line.connection,
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
    };
    let mut left = messages.into_iter();
    let mut next = left.next();
    while let Some(message) = next {
        match worker.send(&message).await {
            Next::Message | Next::GoOn(_) => next = left.next(),
            Next::GiveBack { this, after } => {
                let ids: Vec<Uuid> = this.then_some(message.id).into_iter().chain(left.map(|row| row.id)).collect();
                let next_at = outbox.now() + signed(after);
                give_back(outbox, lease_token, &ids, next_at).await;
                break;
            }
        }
    }
    worker.finish_probe().await;
    let Worker { connection, place, route, .. } = worker;
    if let Some(connection) = connection {
        outbox.destinations.park(&slot_at_server.id, route.fingerprint(), connection, place);
    }
}

/// Gives messages back, however long the disk takes: else our lease would keep them from everybody.
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
    /// These recipients have the next transaction of the same message.
    GoOn(Vec<Recipient>),
    /// Gives the rest back, with `this` one or without, to be tried after so long.
    GiveBack {
        this: bool,
        after: Duration,
    },
}

struct Worker<'a> {
    outbox: &'a Outbox,
    /// In whose name the messages were claimed.
    lease_token: &'a str,
    route: Route,
    destination: String,
    /// Nothing was told yet of a server that rested.
    probe: bool,
    slot: &'a Slot,
    connection: Option<Connection>,
    /// Among the connections with its server that all replicas may have.
    place: Place,
    /// Cancelled when this replica has lost them.
    lost: CancellationToken,
    /// The count of changes when the route was looked up, and when that was.
    changes: u64,
    looked_up: Instant,
}

/// One transaction of a message.
struct Transaction<'a> {
    began: Timestamp,
    /// Who was named in it.
    to: &'a [String],
    /// Others were left out of it, and have had none yet.
    others: bool,
    /// When it came to nothing, there may be another one now.
    may_split: bool,
    /// Its connection has carried another one of this message.
    same_connection: bool,
}

impl Worker<'_> {
    /// Sends one message, in as many transactions as its server needs for the recipients.
    async fn send(&mut self, message: &StoredMessage) -> Next {
        if let Err(next) = self.may_send(message).await {
            return next;
        }
        let Some(room) = room_for(self.outbox, message, &self.route) else {
            return Next::GiveBack { this: true, after: ONCE_MORE };
        };
        let login_gate = self.outbox.login_gate(&self.route);
        if self.connection.is_none() && self.is_known_to_be_refused() {
            return self.after_no_login(Withheld::Refused).await;
        }
        let mut submission = match self.submission(message, login_gate.clone()).await {
            Ok(submission) => submission,
            Err(Unsendable::Store) => return Next::GiveBack { this: true, after: self.outbox.options.first_retry },
            Err(Unsendable::Content) => return self.unsendable(message, self.outbox.now()).await,
        };
        let limits = self.outbox.limits(message.size);
        let everybody: HashMap<String, Address> =
            std::mem::take(&mut submission.to).into_iter().map(|address| (address.to_string(), address)).collect();
        let mut message = message.clone();
        let (mut splits, mut same_connection) = (0, false);
        // Who was refused for now, and does not get another transaction before the others had theirs.
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
            let began = self.outbox.now();
            let commit_point = LeaseCommitPoint {
                outbox: self.outbox,
                lease_token: self.lease_token,
                id: message.id,
                waiting: before,
                reached: AtomicBool::new(false),
            };
            let delivery =
                Box::pin(self.outbox.submitter.deliver(&submission, self.connection.take(), limits, &commit_point));
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
            // Others have our places, and the message.
            let Some(Delivery { report, connection, fate }) = ended else {
                return Next::GiveBack { this: true, after: Duration::ZERO };
            };
            let slow = delivery_began.elapsed() >= SLOW_AFTER;
            self.connection = connection;
            if let Some(withheld) = login_gate.as_ref().and_then(|gate| gate.withheld()) {
                return self.after_no_login(withheld).await;
            }
            if fate == Some(Fate::Withheld) {
                // The lease has ended, or the disk does not respond: the next owner continues.
                return Next::GiveBack { this: true, after: self.outbox.options.first_retry };
            }
            let others = waiting.len() > to.len();
            // A limit of the connection is nobody's own.
            if !(same_connection && takes_nobody_any_more(&report)) {
                refused.extend(refused_for_now(&report));
            }
            self.outbox.recipient_limits.told(&self.route.id(), &report, to.len());
            let transaction = Transaction { began, to, others, may_split: splits < SPLITS, same_connection };
            same_connection = self.connection.is_some();
            match self.settle(&message, report, transaction).await {
                // Others of its account may have their turn.
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
                // Compose it again, with the current settings.
                return Next::GiveBack { this: true, after: Duration::ZERO };
            }
        }
    }

    /// A probe that told nothing leaves the server to the next one.
    async fn finish_probe(&mut self) {
        if std::mem::take(&mut self.probe) {
            let now = self.outbox.now();
            let rest = self.outbox.store.rest_destination(&self.destination, &|rest| rest.probing(now)).await;
            if let Err(error) = rest {
                error.log();
            }
        }
    }
}
