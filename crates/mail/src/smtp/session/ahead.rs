//! Begins the next transaction with the end of this message.
//!
//! RFC 2920 §3.1: the final dot may be the first "command" of a group. So the write that ends a message also carries
//! the sender, the recipients and `DATA` of the next one, and the replies arrive together: one round trip for each
//! message. No text of the next message is sent before its `354`. Only `DATA` is answered with that code, so it also
//! shows that every reply before it answered its own command.
//!
//! A server may offer PIPELINING and still drop what follows the final dot. If its silence leaves the outcome of the
//! first message open, it gets a command of its own ([`Session::fence_by_next`]).

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

/// The most recipients of a transaction that is begun ahead: replies are not read while the group is being written (RFC
/// 2920 §3.1).
const MOST_RECIPIENTS: usize = 10;

/// A transaction whose commands were sent, including `DATA`.
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

    /// Whether this is the transaction of `submission`.
    pub(super) fn is_of(&self, submission: &Submission, capabilities: &Capabilities) -> bool {
        let Self { sender, recipients } = Self::of(submission, capabilities);
        submission.depth == Depth::Message && self.sender == sender && self.recipients == recipients
    }

    /// How many replies it gets, including the one to `DATA`.
    pub(super) const fn replies(&self) -> usize {
        self.recipients.len() + 2
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let lines = std::iter::once(&self.sender).chain(&self.recipients).map(String::as_str).chain(["DATA"]);
        lines.flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
    }
}

/// The state of transactions that are begun ahead.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact")]
pub(super) struct Ahead {
    /// This transaction, if its commands were sent with the previous message.
    pub begun: Option<Begun>,
    /// The next transaction, if its commands were sent with this message.
    pub begins: Option<Begun>,
    /// `RSET` was sent with this message.
    pub asks: bool,
    /// The last reply to a message on this connection had a queue id.
    pub has_ids: bool,
    /// The server dropped what followed the end of a message: send nothing with it.
    pub ends_alone: bool,
    /// The stage at which this transaction was refused when begun ahead; it was then repeated over a new connection.
    pub refused_at: Option<Stage>,
    /// The server lost track of a transaction that was begun ahead, or refused it only for that reason.
    pub stumbled: bool,
}

impl Session<'_> {
    /// Whether commands may be sent with the end of this message.
    fn may_follow_the_end(&self) -> bool {
        self.keeps && self.capabilities.pipelining && !self.cautious && !self.ahead.ends_alone
    }

    /// Whether to send `RSET` with the end of this message: its reply will be needed, because the server answers every
    /// message in the same words.
    pub(super) fn asks_with_the_end(&self) -> bool {
        self.may_follow_the_end() && !self.answers.is_empty() && !self.ahead.has_ids
    }

    /// The transaction to begin with the end of this message, if any.
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

    /// Reads the replies to a transaction whose commands were sent with the end of the previous message, and sends its
    /// message.
    pub(super) async fn after_the_last(
        &mut self,
        wire: &mut Wire,
        sender: &str,
        recipients: &[String],
    ) -> Result<(), Failure> {
        self.transcript.client("(with the end of the previous message)");
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

    /// Returns the reply to the message, once the replies to the next transaction confirm it. Like
    /// [`fence`](Self::fence), but without a command of its own: a late refusal of the message would take the place of
    /// one of those replies.
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
                // The server may have dropped what followed the final dot, so this connection cannot be used again.
                self.ahead.stumbled = true;
                // No QUIT: the server might take it for message text.
                (self.ahead.begins, self.said_goodbye) = (None, true);
                // A reply with new words counts. A possible copy is checked with `RSET`. If the server did not drop the
                // group, it takes the command for message text, and the connection ends before that message does.
                if copy && heard.is_empty() { self.fence(wire, answer).await } else { Ok(answer) }
            }
        }
    }

    /// Checks a refusal of the message: the replies to the next transaction may show that it answers another command.
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
        // A refusal of `DATA` may answer another command, too: then the `354` follows.
        let is_refused =
            order == Order::Kept && ended.is_none() && heard.last().is_some_and(|last| !last.is_positive());
        if is_refused && wire.has_surplus(SURPLUS).await { (heard, Order::Lost) } else { (heard, order) }
    }

    /// Reports that the reply to the message cannot be identified.
    fn doubt<T>(&mut self, heard: &[Reply]) -> Result<T, Failure> {
        for reply in heard {
            self.hear(reply);
        }
        Err(self.unasked(Stage::Data).maybe_sent())
    }

    /// Discards what was learnt about the old connection before a new one is opened.
    pub(super) fn forget_connection(&mut self) {
        let Ahead { refused_at, stumbled, .. } = self.ahead;
        self.ahead = Ahead { refused_at, stumbled, ..Ahead::default() };
        (self.most_taken, self.answers) = (0, HashSet::new());
    }
}
