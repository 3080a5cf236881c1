//! A reply that repeats an earlier one is verified before it counts.
//!
//! A server may repeat its reply to an earlier message while it still processes this one. The first reply after the end
//! of a message is the one to it (RFC 5321 §4.2), and no reply names its command. But servers give each message a new
//! queue id, so a copy is recognised by its text. If this connection has seen the text before, one more command
//! decides: replies keep their order, so a late refusal takes the place of the reply to that command.

use std::hash::{DefaultHasher, Hash, Hasher};

use model::stage::Stage;

use super::{Failure, Session, transaction::queue_id};
use crate::{
    reply::Reply,
    smtp::wire::{Wire, WireError},
};

impl Session<'_> {
    /// Whether an acceptance of the message may be a copy of another reply: its text answered an earlier message, or
    /// its enhanced code is about an address (RFC 3463 §3.2).
    pub(super) fn may_be_a_copy(&mut self, reply: &Reply) -> bool {
        let mut hasher = DefaultHasher::new();
        (reply.code, &reply.lines).hash(&mut hasher);
        let heard_before = !self.answers.insert(hasher.finish());
        heard_before || reply.enhanced.is_some_and(|code| code.subject == 1)
    }

    /// Reads the next reply after an acceptance that may be a copy, and returns the reply to the message. If that reply
    /// is positive, the message was accepted, whichever of the two answers it. `RSET` after a message has no effect
    /// (RFC 5321 §4.1.1.5).
    pub(super) async fn fence(&mut self, wire: &mut Wire, answer: Reply) -> Result<Reply, Failure> {
        self.transcript.client("RSET");
        let until = self.limit(self.limits.last);
        let next = match wire.write(b"RSET\r\n", 1, until).await {
            Ok(()) => wire.read_reply(until).await,
            Err(error) => Err(error),
        };
        self.judge_by(next, answer, true)
    }

    /// The same, if `RSET` was sent with the end of the message.
    pub(super) async fn fence_sent(&mut self, wire: &mut Wire, answer: Reply, copy: bool) -> Result<Reply, Failure> {
        match wire.read_reply(self.limit(self.limits.reply)).await {
            Err(WireError::Timeout) => {
                self.dropped_the_rest();
                if copy { self.fence(wire, answer).await } else { Ok(answer) }
            }
            next => self.judge_by(next, answer, copy),
        }
    }

    /// Checks a refusal of the message if `RSET` was sent with its end: if the reply to `RSET` is a refusal, too, there
    /// was one reply too many.
    pub(super) async fn refused_before_reset(&mut self, wire: &mut Wire, failure: Failure) -> Failure {
        if failure.reply.as_deref().is_none_or(|words| words.starts_with("421")) {
            return failure;
        }
        match wire.read_reply(self.limit(self.limits.reply)).await {
            Ok(reply) if !reply.is_positive() && !matches!(reply.code, 421 | 500 | 502) => {
                self.hear(&reply);
                self.unasked(Stage::Data).maybe_sent()
            }
            Err(WireError::Timeout) => {
                self.dropped_the_rest();
                failure
            }
            _ => failure,
        }
    }

    /// The server may have dropped what followed the final dot. The connection ends without QUIT.
    fn dropped_the_rest(&mut self) {
        (self.ahead.stumbled, self.said_goodbye) = (true, true);
    }

    /// Judges an acceptance by the next reply. `copy`: the acceptance may answer an earlier message.
    fn judge_by(&mut self, next: Result<Reply, WireError>, answer: Reply, copy: bool) -> Result<Reply, Failure> {
        // A queue id seen before is hardly this message's.
        let has_old_id = copy && queue_id(&answer).is_some();
        match next {
            Ok(reply) => {
                self.hear(&reply);
                if reply.is_positive() {
                    return Ok(if queue_id(&reply).is_some() { reply } else { answer });
                }
                // 421 may come at any time (RFC 5321 §3.8), and a few servers do not support `RSET`.
                if matches!(reply.code, 421 | 500 | 502) && !has_old_id {
                    return Ok(answer);
                }
                Err(self.unasked(Stage::Data).maybe_sent())
            }
            Err(WireError::Lost) if !has_old_id => Ok(answer),
            Err(WireError::Unasked) => Err(self.unasked(Stage::Data).maybe_sent()),
            Err(error) => Err(Failure::wire(Stage::Data, error).maybe_sent()),
        }
    }
}
