//! QUIT and its reply: only QUIT is answered with 221, so a 221 in its place shows that every reply was in its own.

use std::time::Duration;

use model::stage::{Outcome, Stage};
use tokio::task::JoinHandle;

use super::{FAREWELL, Failure, Fate, Session};
use crate::smtp::{
    submit::{Delivery, Depth},
    wire::{Wire, WireError},
};

/// A connection on which QUIT was sent. It stays open until the server closes it, for a second at most.
#[derive(Debug)]
pub struct Parting(JoinHandle<()>);

impl Parting {
    /// Runs `farewell`, which ends with the connection closed.
    pub(super) fn begin(farewell: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(farewell))
    }

    /// Waits until the connection is closed.
    pub async fn ended(self) {
        // An error is a panic of the task, which closed the connection as well.
        let _ = self.0.await;
    }
}

impl Session<'_> {
    /// Sends QUIT and reads the reply. It comes after all earlier replies, so it shows whether an unsolicited reply was
    /// taken for an answer. Closing the connection without a reply is not an error.
    pub(super) async fn say_goodbye(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let sent = self.submission.depth == Depth::Message;
        let refuses = wire.has_surplus(Duration::ZERO).await && wire.refuses_unasked();
        self.said_goodbye = true;
        self.transcript.client("QUIT");
        let surplus = match wire.write(b"QUIT\r\n", 1, self.limit(FAREWELL)).await {
            // The message has its reply, and the unsolicited one does not contradict it.
            Err(WireError::Unasked) if sent => refuses,
            Err(WireError::Unasked) => {
                !wire.read_reply(self.limit(FAREWELL / 10)).await.is_ok_and(|reply| reply.code == 421)
            }
            Err(_) => false,
            // No earlier reply could have been mistaken.
            Ok(()) if self.submission.depth == Depth::Capabilities => false,
            Ok(()) => match wire.read_reply(self.limit(FAREWELL)).await {
                Ok(reply) if matches!(reply.code, 221 | 421) => {
                    self.hear(&reply);
                    false
                }
                Ok(reply) => {
                    self.hear(&reply);
                    // Some servers answer QUIT with 250.
                    reply.code != 250 || wire.has_surplus(FAREWELL / 10).await
                }
                Err(_) => false,
            },
        };
        if surplus {
            let failure = self.unasked(Stage::Quit);
            return Err(if sent { failure.maybe_sent() } else { failure });
        }
        self.stage_event(Stage::Quit, Outcome::Ok, None);
        Ok(())
    }

    /// Waits for the reply to QUIT as long as for the reply to the message. Only QUIT is answered with 221, so a 221 in
    /// its place shows that every reply was in its own.
    pub(super) async fn prove(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        self.said_goodbye = true;
        self.transcript.client("QUIT");
        let answer = match wire.write(b"QUIT\r\n", 1, self.limit(FAREWELL)).await {
            Ok(()) => wire.read_reply(self.limit(self.limits.last)).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(reply) => {
                self.hear(&reply);
                if reply.code != 221 {
                    return Err(self.unasked(Stage::Quit).maybe_sent());
                }
            }
            Err(WireError::Unasked) => return Err(self.unasked(Stage::Quit).maybe_sent()),
            Err(error) => return Err(Failure::wire(Stage::Data, error).maybe_sent()),
        }
        self.stage_event(Stage::Quit, Outcome::Ok, None);
        Ok(())
    }

    /// Confirms a refusal with QUIT. If an unsolicited reply came before the refusal, the reply to QUIT is not 221. A
    /// `354` has confirmed it already.
    pub(super) async fn hear_out(&mut self, wire: &mut Wire, failure: Failure) -> Failure {
        let words = failure.reply.as_deref().unwrap_or_default();
        let refusal = words.starts_with(['4', '5']) && !words.starts_with("421");
        let known = matches!(failure.fate, Fate::NotSent { .. }) && failure.finding.is_none();
        if failure.stage < Stage::MailFrom || !refusal || !known || self.ready || !wire.can_part() {
            return failure;
        }
        self.said_goodbye = true;
        self.transcript.client("QUIT");
        // The reply to the message may still be missing.
        let until = self.limit(if self.left && !self.in_step { self.limits.last } else { FAREWELL });
        let mut last = match wire.write(b"QUIT\r\n", 1, until).await {
            Ok(()) => None,
            Err(WireError::Unasked) => Some(0),
            Err(_) => return failure,
        };
        while last.is_none() || wire.is_owed() {
            let Ok(reply) = wire.read_reply(until).await else { return failure };
            self.hear(&reply);
            last = Some(reply.code);
            if reply.code == 421 {
                break;
            }
        }
        // Some servers answer QUIT with 250; if the message was sent, the 250 may also be the reply to it.
        if matches!(last, Some(221 | 421)) || (last == Some(250) && !self.left) {
            return failure;
        }
        let unasked = self.unasked(failure.stage);
        if self.left { unasked.maybe_sent() } else { unasked }
    }

    /// Sends QUIT when the outcome is already decided. A task of its own ([`Parting`]) reads the reply and what is
    /// still in flight, so that the server is not cut off. Nothing is sent in the middle of a command or a message,
    /// because QUIT would become part of it, nor to a server that sent unsolicited replies.
    pub(super) async fn part(&mut self, mut wire: Wire, well: bool) {
        if !wire.can_part() || wire.write(b"QUIT\r\n", 1, self.limit(FAREWELL / 10)).await.is_err() {
            return;
        }
        self.transcript.client("QUIT");
        if well {
            self.stage_event(Stage::Quit, Outcome::Ok, None);
        }
        let until = self.limit(FAREWELL);
        self.parting = Some(Parting::begin(async move { wire.drain(until).await }));
    }

    /// Waits until a connection on which QUIT was sent is closed: the server counts it until then.
    pub(super) async fn closed(&mut self) {
        if let Some(parting) = self.parting.take() {
            parting.ended().await;
        }
    }

    /// Runs the whole conversation, until its connection is closed.
    pub(super) async fn conclude_closed(self) -> Delivery {
        let mut delivery = self.conclude().await;
        if let Some(parting) = delivery.parting.take() {
            parting.ended().await;
        }
        delivery
    }
}
