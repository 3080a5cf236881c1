//! The next transaction begins with the end of this message.
//!
//! RFC 2920 §3.1: the final dot may be the first "command" of a group. So the write that ends a message also carries the sender,
//! the recipients and `DATA` of the next one, and the answers come together: one round trip for each message. No text of the next
//! message leaves before its `354`. Nothing else is answered with that code, so it also shows that every reply before it was in
//! its place.
//!
//! A server may offer PIPELINING and still drop what comes with the final dot. Where its silence leaves a doubt about the message
//! before, it is asked with a command of its own ([`Session::fence_by_next`]).

use std::collections::HashSet;

use model::stage::Stage;

use super::{
    Capabilities, Failure, Session,
    transaction::{SURPLUS, in_the_group, queue_id},
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

mod order;

use order::{Order, order};

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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Ahead {
    /// The commands of this transaction were written with the message before.
    pub begun: Option<Begun>,
    /// The commands of the next transaction were written with this message.
    pub begins: Option<Begun>,
    /// `RSET` was written with this message.
    pub asks: bool,
    /// The last answer to a message on this connection had a queue id.
    pub has_ids: bool,
    /// The server has dropped what came with the end of a message: nothing is written with it.
    pub ends_alone: bool,
    /// Where this transaction was refused when it was begun ahead: it was asked again over a new connection.
    pub refused_at: Option<Stage>,
    /// The server lost its place in a transaction that was begun ahead, or refused only because it was.
    pub stumbled: bool,
}

impl Session<'_> {
    /// Whether something may be written with the end of this message.
    fn may_follow_the_end(&self) -> bool {
        self.keeps && self.capabilities.pipelining && !self.cautious && !self.ahead.ends_alone
    }

    /// Whether `RSET` is to be written with the end of this message: its answer will be needed, since the server says the same to
    /// every message.
    pub(super) fn asks_with_the_end(&self) -> bool {
        self.may_follow_the_end() && !self.answers.is_empty() && !self.ahead.has_ids
    }

    /// The transaction to begin with the end of this message, if there is one.
    pub(super) fn begin_next(&self) -> Option<Begun> {
        let next = self.next.filter(|_| self.may_follow_the_end())?;
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

    /// Returns the answer to the message, once the answers to the next transaction show that it is. Like [`fence`](Self::fence),
    /// but it needs no command of its own: a refusal that was still to come stands where one of those answers should be.
    pub(super) async fn fence_by_next(&mut self, wire: &mut Wire, answer: Reply, copy: bool) -> Result<Reply, Failure> {
        let has_old_id = copy && queue_id(&answer).is_some();
        let (heard, order) = self.answers_to_next(wire).await;
        let is_refused = heard.first().is_some_and(|reply| !reply.is_positive());
        match order {
            Order::Kept if has_old_id && is_refused && heard.len() < self.replies_to_next() => self.doubt(&heard),
            Order::Kept => {
                wire.put_back(heard);
                Ok(answer)
            }
            Order::OneYesTooMany => {
                let own = heard.iter().find(|reply| queue_id(reply).is_some()).cloned();
                wire.put_back(heard);
                Ok(own.unwrap_or(answer))
            }
            Order::Lost => self.doubt(&heard),
            Order::Silent => {
                // The server may have dropped what came with the final dot: the connection is good for nothing else.
                self.ahead.stumbled = true;
                // It is left without a farewell, which it might take for text.
                (self.ahead.begins, self.said_goodbye) = (None, true);
                // New words are believed. Otherwise it is asked. If it did not drop the group, it takes the command for text,
                // and the connection ends before that message does.
                if copy && heard.is_empty() { self.fence(wire, answer).await } else { Ok(answer) }
            }
        }
    }

    /// A refusal of the message, which the answers to the next transaction may show to be another's.
    pub(super) async fn refused_before_next(&mut self, wire: &mut Wire, failure: Failure) -> Failure {
        if failure.reply.as_deref().is_none_or(|words| words.starts_with("421")) {
            return failure;
        }
        match self.answers_to_next(wire).await {
            (heard, Order::OneYesTooMany | Order::Lost) => self.doubt::<()>(&heard).err().unwrap_or(failure),
            _ => failure,
        }
    }

    fn replies_to_next(&self) -> usize {
        self.ahead.begins.as_ref().map_or(0, Begun::replies)
    }

    async fn answers_to_next(&mut self, wire: &mut Wire) -> (Vec<Reply>, Order) {
        let (mut heard, replies) = (Vec::new(), self.replies_to_next());
        let until = self.limit(self.limits.reply);
        let ended = loop {
            if heard.len() == replies {
                break None;
            }
            match wire.read_reply(until).await {
                Ok(reply) => heard.push(reply),
                Err(error) => break Some(error),
            }
            if heard.last().is_some_and(|reply| reply.code == 421) {
                break Some(WireError::Lost);
            }
        };
        let order = order(&heard, replies, ended);
        // A refusal of DATA may be another's, too: then the 354 follows.
        let is_refused =
            order == Order::Kept && ended.is_none() && heard.last().is_some_and(|last| !last.is_positive());
        if is_refused && wire.has_surplus(SURPLUS).await { (heard, Order::Lost) } else { (heard, order) }
    }

    /// It is not known which answer was the message's.
    fn doubt<T>(&mut self, heard: &[Reply]) -> Result<T, Failure> {
        for reply in heard {
            self.hear(reply);
        }
        Err(self.unasked(Stage::Data).maybe_sent())
    }

    /// Forgets what was learnt about a connection before a new one is opened.
    pub(super) fn forget_connection(&mut self) {
        let Ahead { refused_at, stumbled, .. } = self.ahead;
        self.ahead = Ahead { refused_at, stumbled, ..Ahead::default() };
        (self.most_taken, self.answers) = (0, HashSet::new());
    }
}
