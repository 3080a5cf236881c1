//! The next transaction begins with the end of this message.
//!
//! RFC 2920 §3.1: the final dot may be the first "command" of a group. So the write that ends a message also carries the sender,
//! the recipients and `DATA` of the next one, and the answers come together: one round trip for each message. No text of the next
//! message leaves before its `354`. Nothing else is answered with that code, so it also shows that every reply before it was in
//! its place.
//!
//! A server may offer PIPELINING and still drop what comes with the final dot. On a connection where every message has the same
//! answer, its silence could not be told from a copied answer ([`Session::fence_by_next`]). So a transaction is begun ahead only
//! with the first message of a connection, once the server has shown that it reads ahead, or where its answers have ids.

use std::collections::HashSet;

use model::stage::Stage;

use super::{
    Capabilities, Failure, Session,
    transaction::{in_the_group, queue_id},
};
use crate::{
    reply::Reply,
    smtp::{
        Submission,
        envelope::{mail_from, needs_smtputf8, rcpt_to},
        submit::Depth,
        wire::{Wire, WireError},
    },
};

/// A transaction with more recipients is not begun ahead: the answers are not read while the group is being written
/// (RFC 2920 §3.1).
const MOST_RECIPIENTS: usize = 10;

/// A transaction whose commands have been written, `DATA` included.
pub(super) struct Begun {
    sender: String,
    recipients: Vec<String>,
}

impl Begun {
    fn of(submission: &Submission, capabilities: &Capabilities) -> Self {
        let named = capabilities.most_recipients.unwrap_or(usize::MAX);
        Self {
            sender: mail_from(submission, capabilities),
            recipients: submission.to.iter().take(named).map(rcpt_to).collect(),
        }
    }

    /// Whether it is the transaction of this message.
    pub(super) fn is_of(&self, submission: &Submission, capabilities: &Capabilities) -> bool {
        let Self { sender, recipients } = Self::of(submission, capabilities);
        submission.depth == Depth::Message && self.sender == sender && self.recipients == recipients
    }

    /// How many answers it has, including the one to `DATA`.
    pub(super) const fn replies(&self) -> usize {
        self.recipients.len() + 2
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let lines = std::iter::once(&self.sender).chain(&self.recipients).map(String::as_str).chain(["DATA"]);
        lines.flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
    }
}

/// What a conversation knows of transactions that are begun ahead.
#[derive(Default)]
pub(super) struct Ahead {
    /// The commands of this transaction were written with the message before.
    pub begun: Option<Begun>,
    /// The commands of the next transaction were written with this message.
    pub begins: Option<Begun>,
    /// The server is known to read what comes with the end of a message, or gives each message an id.
    pub reads_ahead: bool,
    /// The server lost its place in a transaction that was begun ahead.
    pub stumbled: bool,
}

impl Session<'_> {
    /// The transaction to begin with the end of this message, if there is one.
    pub(super) fn begin_next(&self) -> Option<Begun> {
        let may_begin = self.answers.is_empty() || self.ahead.reads_ahead;
        let next = self.next.filter(|_| may_begin && self.keeps && self.capabilities.pipelining && !self.cautious)?;
        let fits = match self.capabilities.size {
            Some(Some(limit)) => next.message.len() as u64 <= limit,
            _ => true,
        };
        let is_possible = next.depth == Depth::Message
            && (1..=MOST_RECIPIENTS).contains(&next.to.len())
            && fits
            && (self.capabilities.smtputf8 || !needs_smtputf8(next));
        is_possible.then(|| Begun::of(next, &self.capabilities))
    }

    /// The answers to a transaction whose commands were written with the end of the message before, and its message.
    pub(super) async fn after_the_last(
        &mut self,
        wire: &mut Wire,
        sender: &str,
        recipients: &[String],
    ) -> Result<(), Failure> {
        self.transcript.client("(with the end of the message before)");
        for line in std::iter::once(sender).chain(recipients.iter().map(String::as_str)).chain(["DATA"]) {
            self.transcript.client(line);
        }
        self.sender_answer(wire).await.map_err(|failure| in_the_group(failure, false, true))?;
        for at in 0..recipients.len() {
            let answer = self.recipient_answer(wire, at).await;
            answer.map_err(|failure| in_the_group(failure, false, true))?;
        }
        let accepted = self.any_recipient().map_err(|failure| in_the_group(failure, false, true));
        self.go_ahead(wire, accepted).await
    }

    /// Reads the first answer to the next transaction, after a yes that may be a copy of an earlier one, and returns the answer to
    /// the message. It works like [`fence`](Self::fence) but needs no command of its own: a refusal that was still to come stands
    /// where the answer to the next sender should be.
    pub(super) async fn fence_by_next(
        &mut self,
        wire: &mut Wire,
        answer: Reply,
        replies: usize,
    ) -> Result<Reply, Failure> {
        let until = self.limit(self.limits.last);
        let has_old_id = queue_id(&answer).is_some();
        let first = match wire.read_reply(until).await {
            Ok(reply) => reply,
            Err(WireError::Lost) if !has_old_id => return Ok(answer),
            Err(error) => return Err(Failure::wire(Stage::Data, error).maybe_sent()),
        };
        if first.is_positive() {
            // An answer with an id is the message's own, which came late. The next transaction then finds no 354 in its place.
            let own = queue_id(&first).is_some();
            let answer = if own { first.clone() } else { answer };
            wire.put_back(vec![first]);
            return Ok(answer);
        }
        let mut heard = vec![first];
        // Once a sender is refused, nothing else is accepted. A yes that follows shows that the refusal was for the message.
        while heard.len() < replies && heard.last().is_some_and(|reply| reply.code != 421 && !reply.is_positive()) {
            match wire.read_reply(until).await {
                Ok(reply) => heard.push(reply),
                Err(_) => break,
            }
        }
        let is_shifted = heard.iter().any(Reply::is_positive) || (has_old_id && heard.len() < replies);
        if is_shifted {
            for reply in &heard {
                self.hear(reply);
            }
            return Err(self.unasked(Stage::Data).maybe_sent());
        }
        wire.put_back(heard);
        Ok(answer)
    }

    /// Forgets what was learnt about a connection before a new one is opened.
    pub(super) fn forget_connection(&mut self) {
        self.ahead = Ahead { stumbled: self.ahead.stumbled, ..Ahead::default() };
        (self.most_taken, self.answers) = (0, HashSet::new());
    }
}
