//! An answer that says what an earlier one said is not believed by itself.
//!
//! A server may repeat the answer to an earlier message while it still thinks about this one. The first reply after the end
//! of a message is its answer (RFC 5321 §4.2), and nothing in a reply says which command it answers; but servers give each
//! message a queue id of its own, so that a copy is known by its text. Where the text is one that this connection has heard
//! before, the answer to one more command decides: replies keep their order, so a refusal that was still to come stands in
//! its place.

use std::hash::{DefaultHasher, Hash, Hasher};

use model::stage::Stage;

use super::{Failure, Session, transaction::queue_id};
use crate::{
    reply::Reply,
    smtp::wire::{Wire, WireError},
};

impl Session<'_> {
    /// Whether a yes to the message could be the copy of another reply: its words answered an earlier message, or its code
    /// is one for an address (RFC 3463 §3.2).
    pub(super) fn may_be_a_copy(&mut self, reply: &Reply) -> bool {
        let mut hasher = DefaultHasher::new();
        (reply.code, &reply.lines).hash(&mut hasher);
        let heard_before = !self.answers.insert(hasher.finish());
        heard_before || reply.enhanced.is_some_and(|code| code.subject == 1)
    }

    /// Hears what the server says next, after a yes that may be a copy; returns the answer to the message. With a yes in that
    /// place it was taken, whichever of the two answers it. `RSET` has no effect after a message (RFC 5321 §4.1.1.5).
    pub(super) async fn fence(&mut self, wire: &mut Wire, answer: Reply) -> Result<Reply, Failure> {
        self.transcript.client("RSET");
        let until = self.limit(self.limits.last);
        let next = match wire.write(b"RSET\r\n", 1, until).await {
            Ok(()) => wire.read_reply(until).await,
            Err(error) => Err(error),
        };
        self.judge_by(next, answer, true)
    }

    /// The same where `RSET` was written with the end of the message.
    pub(super) async fn fence_sent(&mut self, wire: &mut Wire, answer: Reply, copy: bool) -> Result<Reply, Failure> {
        match wire.read_reply(self.limit(self.limits.reply)).await {
            Err(WireError::Timeout) => {
                self.dropped_the_rest();
                if copy { self.fence(wire, answer).await } else { Ok(answer) }
            }
            next => self.judge_by(next, answer, copy),
        }
    }

    /// A refusal of the message, when `RSET` was written with its end: a refusal in that place, too, is one too many.
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

    /// The server may have dropped what came with the final dot. It is left without a farewell.
    fn dropped_the_rest(&mut self) {
        (self.ahead.stumbled, self.said_goodbye) = (true, true);
    }

    /// What the reply after a yes makes of it. `copy`: the yes may be the answer to an earlier message.
    fn judge_by(&mut self, next: Result<Reply, WireError>, answer: Reply, copy: bool) -> Result<Reply, Failure> {
        // A queue id that was heard before is hardly this message's.
        let has_old_id = copy && queue_id(&answer).is_some();
        match next {
            Ok(reply) => {
                self.hear(&reply);
                if reply.is_positive() {
                    return Ok(if queue_id(&reply).is_some() { reply } else { answer });
                }
                // 421 may come at any time (RFC 5321 §3.8), and a few servers do not know the command.
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
