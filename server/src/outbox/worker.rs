//! Server side. One connection, a few messages of one lane.

use std::{sync::Arc, time::Duration};

use app::diagnosis::cause::Cause;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::{sync::SemaphorePermit, time::Instant};
use uuid::Uuid;

use super::{
    Outbox,
    content::{Content, Person},
    dispatch::signed,
    route::{Route, Server},
    routes::{Large, Place, RouteId},
};
use crate::{
    logins::{Counted, MOST_REFUSALS, Withheld},
    profiles::unavailable,
    sending::submission,
    smtp::{Connection, Delivery, Gate, Letter, LoginGate, Submission},
    store::outbox::{MessageRow, RecipientState, Via},
};

mod settle;

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
        let gate = self.outbox.login_gate(&self.route);
        if self.connection.is_none() && self.is_known_to_be_refused() {
            return self.after_no_login(Withheld::Refused);
        }
        let submission = match self.submission(message, gate.clone()).await {
            Ok(submission) => submission,
            Err(Unsendable::Store) => return Next::GiveBack { this: true, after: self.outbox.options.first_retry },
            Err(Unsendable::Content) => return self.unsendable(message, began).await,
        };
        let limits = self.outbox.limits(message.size);
        let ending = Ending { outbox: self.outbox, owner: self.owner, id: message.id };
        let Delivery { report, connection, withheld } =
            self.outbox.submitter.deliver(&submission, self.connection.take(), limits, &ending).await;
        drop(submission);
        self.connection = connection;
        if let Some(withheld) = gate.and_then(|gate| gate.withheld()) {
            return self.after_no_login(withheld);
        }
        if withheld {
            // The lease has ended, or the disk does not answer: whoever has it now goes on with it.
            return Next::GiveBack { this: true, after: self.outbox.options.first_retry };
        }
        self.settle(message, report, began).await
    }

    /// Looks the route up again after a change. `false`: the message goes another way.
    async fn is_still_the_route(&mut self, message: &MessageRow) -> bool {
        let changes = self.outbox.changes.now(&self.route.account);
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

    /// Whether the login would not be tried: it was refused three times.
    fn is_known_to_be_refused(&self) -> bool {
        matches!(&self.route.server, Server::Profile(row) if row.secret_refusals >= MOST_REFUSALS)
    }

    /// The login was not tried. What was refused three times waits until it is changed; what others are trying is tried soon.
    fn after_no_login(&self, why: Withheld) -> Next {
        let after = match why {
            Withheld::Refused => {
                let rest = self.outbox.options.longest_retry;
                self.outbox.routes.block(&self.route.id(), Some(Cause::BadCredentials), |_| rest);
                // The dispatcher puts it off with the reason.
                Duration::ZERO
            }
            Withheld::Busy => ONCE_MORE,
            Withheld::Unavailable => self.outbox.options.first_retry,
        };
        Next::GiveBack { this: true, after }
    }

    async fn submission(&self, message: &MessageRow, gate: Option<Arc<Counted>>) -> Result<Submission, Unsendable> {
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
        let login = self.outbox.secret(&self.route).zip(gate.map(|gate| gate as Arc<dyn LoginGate>));
        submission(self.route.destination(), login, &letter, to).map_err(|_| unreadable("it cannot be composed"))
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
