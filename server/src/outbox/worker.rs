//! Server side. One connection, a few messages of one lane.

use std::{sync::atomic::Ordering, time::Duration};

use app::{
    profile::sending::{Sign, Turn},
    test_run::{event::Stage, port::TestRun, report::Report},
};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::{sync::SemaphorePermit, time::Instant};
use uuid::Uuid;

use super::{
    Outbox,
    content::{Content, Person},
    dispatch::{is_about_the_secret, signed},
    judge::{Chances, give_up, judge, state_of},
    ledger::Unavailable,
    route::{Route, Server},
    routes::{Large, Place, RouteId},
};
use crate::{
    events::message_finished,
    profiles::{fingerprint, unavailable},
    sending::submission,
    smtp::{Connection, Delivery, Gate, Letter, Submission},
    store::outbox::{
        Attempt, AttemptOutcome, HealthReport, MessageRow, MessageState, RecipientState, Right, Settled, Settlement,
        Via,
    },
};

/// What was looked up is looked up again after so long: another replica may have changed it.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);
/// From this size on, in KiB, a message waits for room in memory.
const LARGE_KIB: u32 = 256;
/// Between two tries of what must be written.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// A worker waits so long for the leave to send; after that others may have its place.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends the messages, one after another. What cannot be tried now is given back.
pub(super) async fn work(
    outbox: &Outbox,
    (route, changes): (Route, u64),
    owner: &str,
    messages: Vec<MessageRow>,
    place: &Place,
) {
    let mut worker = Worker {
        connection: outbox.routes.take(&place.id, &route.fingerprint()),
        changes,
        looked_up: Instant::now(),
        outbox,
        owner,
        route,
    };
    let mut left = messages.into_iter();
    let mut next = left.next();
    while let Some(message) = next {
        match worker.send(&message).await {
            Next::Message => next = left.next(),
            Next::GiveBack { this, after } => {
                let ids: Vec<Uuid> = this.then_some(message.id).into_iter().chain(left.map(|row| row.id)).collect();
                let next_at = outbox.now() + signed(after);
                give_back(outbox, owner, &ids, next_at).await;
                break;
            }
        }
    }
    if let Some(connection) = worker.connection.take() {
        outbox.routes.park(&place.id, worker.route.fingerprint(), connection);
    }
}

/// Gives messages back, however long the disk takes: else our lease would keep them from everybody.
async fn give_back(outbox: &Outbox, owner: &str, ids: &[Uuid], next_at: Timestamp) {
    while !ids.is_empty()
        && let Err(error) = outbox.store.release(owner, ids, next_at).await
    {
        unavailable(error);
        if outbox.stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(ONCE_MORE).await;
    }
}

/// What a worker does after a message.
enum Next {
    Message,
    /// Gives the rest back, with `this` one or without, to be tried after so long.
    GiveBack {
        this: bool,
        after: Duration,
    },
}

struct Worker<'a> {
    outbox: &'a Outbox,
    /// In whose name the messages were claimed.
    owner: &'a str,
    route: Route,
    connection: Option<Connection>,
    /// The count of changes when the route was looked up, and when that was.
    changes: u64,
    looked_up: Instant,
}

/// Opens when it is on disk that the end of the message is about to be sent.
struct Ending<'a> {
    outbox: &'a Outbox,
    owner: &'a str,
    id: Uuid,
}

#[async_trait]
impl Gate for Ending<'_> {
    async fn open(&self) -> bool {
        self.outbox.ledger.mark_ending(self.id, self.owner, self.outbox.now()).await.unwrap_or(false)
    }
}

impl Worker<'_> {
    async fn send(&mut self, message: &MessageRow) -> Next {
        let now_and_all = Next::GiveBack { this: true, after: Duration::ZERO };
        if self.outbox.stop.is_cancelled() || !self.is_still_the_route(message).await {
            return now_and_all;
        }
        let id = self.route.id();
        if let Some((after, _)) = self.outbox.routes.blocked(&id) {
            return Next::GiveBack { this: true, after };
        }
        while let Err(wait) = self.outbox.routes.take_leave(&id, self.route.per_minute) {
            if wait > PATIENCE {
                return Next::GiveBack { this: true, after: wait };
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.outbox.stop.cancelled() => return now_and_all,
            }
        }
        let Some(_room) = room_for(self.outbox, message, &id) else {
            return Next::GiveBack { this: true, after: ONCE_MORE };
        };
        let began = self.outbox.now();
        let submission = match self.submission(message).await {
            Ok(submission) => submission,
            Err(Unsendable::Store) => return Next::GiveBack { this: true, after: self.outbox.options.first_retry },
            Err(Unsendable::Content) => return self.unsendable(message, began).await,
        };
        let limits = self.outbox.limits(message.size);
        let gate = Ending { outbox: self.outbox, owner: self.owner, id: message.id };
        let Delivery { report, connection, withheld } =
            self.outbox.submitter.deliver(&submission, self.connection.take(), limits, &gate).await;
        drop(submission);
        self.connection = connection;
        if withheld {
            // The lease has ended, or the disk does not answer: whoever has it now goes on with it.
            return Next::GiveBack { this: true, after: self.outbox.options.first_retry };
        }
        self.settle(message, report, began).await
    }

    /// Looks the route up again after a change. `false`: the message goes another way.
    async fn is_still_the_route(&mut self, message: &MessageRow) -> bool {
        let changes = self.outbox.changes.load(Ordering::SeqCst);
        if changes == self.changes && self.looked_up.elapsed() < TRUSTED {
            return true;
        }
        let Ok(route) = self.outbox.route(&message.lane, message.fallback).await else { return false };
        if route.id() != self.route.id()
            || route.profile().is_some_and(|row| row.health.is_held() && route.via == Via::Profile)
        {
            return false;
        }
        if route.fingerprint() != self.route.fingerprint() {
            self.close();
        }
        (self.changes, self.looked_up, self.route) = (changes, Instant::now(), route);
        true
    }

    fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }

    async fn submission(&self, message: &MessageRow) -> Result<Submission, Unsendable> {
        let sealed = self.outbox.store.content(message.id).await.map_err(|error| {
            unavailable(error);
            Unsendable::Store
        })?;
        let unreadable = |what: &str| {
            tracing::error!(message = %message.id, what, "a message cannot be sent");
            Unsendable::Content
        };
        let sealed = sealed.ok_or_else(|| unreadable("its content is gone"))?;
        let opened = self
            .outbox
            .vault
            .open_content(&message.lane.account, message.id, &sealed)
            .map_err(|_| unreadable("its content does not open"))?;
        drop(sealed);
        let content = Content::decode(&opened).ok_or_else(|| unreadable("its content does not read"))?;
        drop(opened);
        let to = message
            .recipients
            .iter()
            .filter(|recipient| recipient.state == RecipientState::Pending)
            .map(|recipient| recipient.address.parse())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unreadable("an address does not read"))?;
        let letter = self.letter(message, content).ok_or_else(|| unreadable("an address does not read"))?;
        let secret = self.outbox.secret(&self.route);
        submission(self.route.destination(), secret, &letter, to).map_err(|_| unreadable("it cannot be composed"))
    }

    /// The message under the name of whoever sends it.
    fn letter(&self, message: &MessageRow, mut content: Content) -> Option<Letter> {
        let attachments = content.take_attachments();
        let head = content.head;
        let all = |people: &[Person]| people.iter().map(Person::mailbox).collect::<Option<Vec<_>>>();
        let reply_to = match &head.reply_to {
            Some(person) => Some(person.mailbox()?),
            None => self.route.reply_to(),
        };
        Some(Letter {
            from: self.route.sender()?,
            to: all(&head.to)?,
            cc: all(&head.cc)?,
            reply_to,
            subject: head.subject,
            text: head.text,
            html: head.html,
            attachments,
            encoding: match &self.route.server {
                Server::Profile(row) => row.encoding,
                Server::Relay(..) => app::profile::encoding::Encoding::default(),
            },
            message_id: message.message_id.clone(),
            date: head.date.into(),
            auto_submitted: head.auto_submitted,
            language: head.language.unwrap_or_default(),
        })
    }

    async fn settle(&mut self, message: &MessageRow, report: Report, began: Timestamp) -> Next {
        let now = self.outbox.now();
        let row = match &self.route.server {
            Server::Profile(row) => Some(row),
            Server::Relay(..) => None,
        };
        let was_held = row.is_some_and(|row| row.health.is_held());
        let has_relay = self.outbox.portal(&message.lane.account.portal).is_some_and(|portal| portal.relay.is_some());
        let judgement = judge(
            message,
            &report,
            Chances {
                retry_at: now + signed(self.outbox.wait(message.tries + 1)),
                may_fall_back: has_relay && row.is_some_and(|row| row.sending.fallback),
                now,
            },
        );
        let attempt = Attempt {
            at: began,
            duration_ms: u64::try_from(began.duration_until(now).as_millis()).unwrap_or_default(),
            via: Some(self.route.via),
            profile: self.route.profile().map(|row| row.id),
            outcome: judgement.outcome,
            stage: Some(report.stage),
            cause: report.cause,
            reply: report.reply.clone(),
            queue_id: report.queue_id.clone(),
        };
        let refused = report.stage == Stage::Auth && !report.retryable;
        let health = row.zip(judgement.sign).map(|(row, sign)| HealthReport {
            profile: row.id,
            fingerprint: fingerprint(row),
            sign,
            secret_refused: refused && matches!(sign, Sign::Failed(cause) if is_about_the_secret(cause)),
            failure: matches!(sign, Sign::Failed(_)).then(|| Box::new(failure(message, report, now))),
            check: false,
        });
        let cause = attempt.cause;
        self.outbox.metrics.attempted(judgement.outcome, cause);
        let tell = self.outbox.tells(&message.lane.account.portal);
        let event = message_finished(message, judgement.state, &judgement.recipients, &attempt, now);
        let settlement = Settlement {
            id: message.id,
            lane: message.lane.clone(),
            right: Right::Lease(self.owner.to_owned()),
            at: now,
            counts: true,
            state: judgement.state,
            recipients: judgement.recipients,
            next_at: judgement.next_at,
            fallback: judgement.fallback,
            event: event.filter(|_| tell),
            attempt: Some(attempt),
            health,
            tell,
        };
        tracing::debug!(message = %message.id, state = settlement.state.as_str(), "message tried");
        let settled = self.for_sure(settlement).await;
        if judgement.sign == Some(Sign::Sent) {
            self.outbox.routes.unblock(&self.route.id());
        }
        match settled.as_ref().ok().and_then(|settled| settled.turn) {
            // What waits for it waits no more.
            Some(Turn::Recovered) => self.outbox.changed(&message.lane.account).await,
            // Look again before the next one.
            Some(Turn::Broke(_)) => drop(self.outbox.changes.fetch_add(1, Ordering::SeqCst)),
            None => {}
        }
        // One message was to tell whether a held profile has come round, and did.
        let still_held = was_held && matches!(judgement.sign, Some(Sign::Failed(_)));
        if judgement.trouble || still_held {
            let id = self.route.id();
            let after = self.outbox.routes.block(&id, cause, |troubles| self.outbox.wait(troubles));
            return Next::GiveBack { this: false, after };
        }
        if settled.is_err() {
            // It stays under its lease; what became of it is not on disk. Its mark says that it may have left.
            return Next::GiveBack { this: false, after: self.outbox.options.first_retry };
        }
        Next::Message
    }

    /// The message cannot be sent by anybody: its content is gone or does not open.
    async fn unsendable(&self, message: &MessageRow, now: Timestamp) -> Next {
        let mut recipients = message.recipients.clone();
        give_up(&mut recipients, None);
        let state = state_of(&recipients);
        let attempt = Attempt {
            at: now,
            duration_ms: 0,
            via: Some(self.route.via),
            profile: self.route.profile().map(|row| row.id),
            outcome: AttemptOutcome::Failed,
            stage: None,
            cause: None,
            reply: None,
            queue_id: None,
        };
        let tell = self.outbox.tells(&message.lane.account.portal);
        let event = message_finished(message, state, &recipients, &attempt, now).filter(|_| tell);
        let settlement = Settlement {
            id: message.id,
            lane: message.lane.clone(),
            right: Right::Lease(self.owner.to_owned()),
            at: now,
            attempt: Some(attempt),
            counts: false,
            state,
            recipients,
            next_at: None,
            fallback: message.fallback,
            health: None,
            event,
            tell,
        };
        debug_assert_ne!(settlement.state, MessageState::Deferred);
        let _ = self.for_sure(settlement).await;
        Next::Message
    }

    /// Writes down what became of a message, however long the disk takes: nobody else knows it.
    async fn for_sure(&self, settlement: Settlement) -> Result<Settled, Unavailable> {
        loop {
            match self.outbox.ledger.settle(settlement.clone()).await {
                Err(Unavailable) if !self.outbox.stop.is_cancelled() => tokio::time::sleep(ONCE_MORE).await,
                outcome => return outcome,
            }
        }
    }
}

/// Room for a message.
enum Room<'a> {
    /// Small ones have always room.
    Small,
    /// In memory, and at its server.
    Large { _memory: SemaphorePermit<'a>, _turn: Large },
}

fn room_for<'a>(outbox: &'a Outbox, message: &MessageRow, id: &RouteId) -> Option<Room<'a>> {
    let kib = u32::try_from(message.size / 1024).unwrap_or(u32::MAX).min(super::MEMORY_KIB);
    if kib < LARGE_KIB {
        return Some(Room::Small);
    }
    let turn = outbox.routes.begin_large(id)?;
    Some(Room::Large { _memory: outbox.memory.try_acquire_many(kib).ok()?, _turn: turn })
}

/// Why there is nothing to hand over.
enum Unsendable {
    /// The store does not answer.
    Store,
    /// The message itself does not read.
    Content,
}

/// A failure as the profile's page shows it.
fn failure(message: &MessageRow, report: Report, at: Timestamp) -> TestRun {
    let recipient = message.recipients.first().map(|recipient| recipient.address.clone()).unwrap_or_default();
    TestRun { at, recipient, report }
}
