//! Connections that carry several messages, one after another.
//!
//! An open connection is greeted, encrypted and logged in; the next message begins with its sender. If the server has
//! closed it meanwhile, the message goes over a new connection, provided that the server certainly does not have it.

use std::{collections::HashSet, time::Duration};

use model::{cause::Cause, report::TlsSummary, stage::Stage};
use tokio::time::Instant;

use super::{Begun, Capabilities, Failure, Host, Mechanism, Parting, Session, Wire, WireError};

/// After this long without a message, a connection may be dead without our knowing. The message is then not sent
/// together with the commands before it.
const COOL: Duration = Duration::from_secs(1);

/// An open connection, usable for the next message to the same destination with the same login.
pub struct Connection {
    pub(super) wire: Wire,
    host: Host,
    capabilities: Capabilities,
    tls: Option<TlsSummary>,
    mechanism: Option<Mechanism>,
    /// Its enhanced codes show which command a reply answers.
    codes_tell: bool,
    /// The most recipients that the server accepted in one transaction.
    most_taken: usize,
    /// Hashes of its replies to messages.
    answers: HashSet<u64>,
    /// The last of these replies had a queue id.
    has_ids: bool,
    /// Nothing is sent with the end of a message.
    ends_alone: bool,
    /// The next transaction, if its commands were sent already.
    begun: Option<Begun>,
    /// When it was last used.
    pub used_at: Instant,
    /// How many messages it has carried.
    pub messages: u32,
}

impl Connection {
    /// Whether the commands of the next transaction were sent already: then only that message can follow.
    pub const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Sends nothing with the end of a message, for a server that dropped it before
    /// ([`Delivery::stumbled`](crate::smtp::Delivery)).
    #[must_use]
    pub fn end_alone(mut self) -> Self {
        self.ends_alone = true;
        self
    }

    /// Sends QUIT without waiting for the reply.
    pub fn close(mut self) -> Parting {
        Parting::begin(async move {
            let until = Instant::now() + super::FAREWELL;
            if self.wire.can_part() && self.wire.write(b"QUIT\r\n", 1, until).await.is_ok() {
                self.wire.drain(until).await;
            }
        })
    }
}

impl Session<'_> {
    /// Sends the message on the open connection. `None` if there is none, or if it was closed and the server certainly
    /// has no message.
    pub(super) async fn on_the_open_connection(&mut self, host: &Host) -> Option<Result<(), Failure>> {
        let connection = self.reused.take()?;
        if connection.host != *host {
            return None;
        }
        let Connection { mut wire, used_at, messages, .. } = connection;
        (self.capabilities, self.tls, self.mechanism) = (connection.capabilities, connection.tls, connection.mechanism);
        (self.messages, self.codes_tell, self.most_taken) = (messages, connection.codes_tell, connection.most_taken);
        self.answers = connection.answers;
        (self.ahead.has_ids, self.ahead.ends_alone) = (connection.has_ids, connection.ends_alone);
        if connection.begun.as_ref().is_some_and(|begun| !begun.is_of(self.submission, &self.capabilities)) {
            return self.start_afresh();
        }
        let has_begun = connection.begun.is_some();
        self.ahead.begun = connection.begun;
        // Unsolicited replies would be taken for answers to the next commands.
        let looked = wire.look().await;
        let is_shifted = if has_begun { wire.missing().is_none() } else { wire.missing() != Some(0) };
        if is_shifted || looked == Err(WireError::Lost) {
            self.ahead.stumbled = has_begun && is_shifted;
            return self.start_afresh();
        }
        self.cool = !has_begun && used_at.elapsed() > COOL;
        let flights = wire.flights;
        let outcome = self.hand_over(&mut wire).await;
        self.round_trips += wire.flights - flights;
        self.cool = false;
        let outcome = self.checked(&mut wire, outcome).await;
        match &outcome {
            // A refusal of commands that were sent with the end of a message is not final: the server may refuse only
            // the combination.
            Err(failure) if has_begun && !self.ready && failure.fate.is_certain() => {
                self.ahead.stumbled |= failure.is_lost_in_a_group();
                self.ahead.refused_at = (!failure.hung_up()).then_some(failure.stage);
                return self.start_afresh();
            }
            Err(failure) if failure.may_be_the_connection() => return self.start_afresh(),
            Err(failure) if !failure.fate.is_out_of_step() => self.tell_failure(failure),
            _ => {}
        }
        self.end(host.clone(), wire, &outcome).await;
        Some(outcome)
    }

    fn start_afresh(&mut self) -> Option<Result<(), Failure>> {
        self.transcript.client("(not on the open connection: once more, over a new one)");
        (self.capabilities, self.tls, self.mechanism) = (Capabilities::default(), None, None);
        self.stages.clear();
        self.recipients.clear();
        (self.messages, self.codes_tell, self.said_goodbye) = (0, true, false);
        self.forget_connection();
        None
    }

    /// Keeps the connection for the next message if this one succeeded and reuse is enabled; otherwise sends QUIT.
    pub(super) async fn end(&mut self, host: Host, mut wire: Wire, outcome: &Result<(), Failure>) {
        if self.said_goodbye {
            return;
        }
        if outcome.is_err() || wire.has_surplus(Duration::ZERO).await {
            return self.part(wire, outcome.is_ok()).await;
        }
        self.kept = Some(Connection {
            wire,
            host,
            capabilities: self.capabilities.clone(),
            tls: self.tls.clone(),
            mechanism: self.mechanism,
            codes_tell: self.codes_tell,
            most_taken: self.most_taken,
            answers: std::mem::take(&mut self.answers),
            has_ids: self.ahead.has_ids,
            ends_alone: self.ahead.ends_alone,
            begun: self.ahead.begins.take(),
            used_at: Instant::now(),
            messages: self.messages + 1,
        });
    }
}

impl Failure {
    /// Whether the server lost track of a group of commands, rather than just closing the connection.
    fn is_lost_in_a_group(&self) -> bool {
        let lost = self.fate.is_out_of_step() || self.is_shifted() || self.cause == Cause::Timeout;
        lost && !self.hung_up()
    }

    fn hung_up(&self) -> bool {
        self.cause == Cause::ConnectionLost || self.reply.as_deref().is_some_and(|words| words.starts_with("421"))
    }

    /// Whether the old connection may be the reason: it broke, the server says that it has reached its limit or that it
    /// closes it, or it refuses a sender permanently before it can have the message. Some servers accept only a few
    /// messages on each connection and do not say so.
    fn may_be_the_connection(&self) -> bool {
        let certain = self.fate.is_certain();
        let sender = self.stage == Stage::MailFrom && self.reply.as_deref().is_some_and(|words| words.starts_with('5'));
        let closing = self.reply.as_deref().is_some_and(|words| words.starts_with("421"));
        let over = matches!(self.cause, Cause::SessionLimit | Cause::ConnectionLost);
        // It may be the late reply to an earlier message.
        let unasked = self.is_shifted();
        certain && (closing || over || unasked || sender || (self.reply.is_none() && self.finding.is_none()))
    }
}
