//! A flight: commands or a message in one write, and what the server had answered before the last bytes of a message.

use model::{cause::Cause, stage::Stage};
use tokio::time::Instant;

use super::{Failure, Fate, Session};
use crate::smtp::{
    submit::CommitPoint,
    wire::{Wire, WireError},
};

/// How many bytes of a message wait for the commit point: the final dot and its line end.
const HELD_BACK: usize = 3;

/// Which replies had arrived when the end of the message was about to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::smtp::session) enum BeforeTheEnd {
    /// Not checked, or some replies were still missing.
    #[default]
    Unknown,
    /// All but the reply to the message.
    EveryOtherAnswer,
    /// That one as well: the end was not sent.
    EveryAnswer,
}

/// The content of a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::smtp::session) enum Load {
    Commands,
    /// A message, with or without commands before it.
    Message,
    /// A message that the server asked for (354). It may still change its mind.
    AwaitedMessage,
}

impl Session<'_> {
    /// Writes bytes that get `replies` replies. A message may take all of the remaining time.
    pub(super) async fn fly(
        &mut self,
        wire: &mut Wire,
        bytes: &[u8],
        replies: usize,
        stage: Stage,
        load: Load,
    ) -> Result<(), Failure> {
        let whole = load != Load::Commands;
        let deadline = if whole { self.deadline } else { self.limit(self.limits.reply) };
        self.before_the_end = BeforeTheEnd::Unknown;
        self.ahead.asks = false;
        let written = match self.commit_point {
            Some(point) if whole => self.through(point, wire, (bytes, load), replies, deadline).await?,
            _ => wire.write(bytes, replies, deadline).await,
        };
        match written {
            Ok(()) => {
                self.left = whole && self.before_the_end != BeforeTheEnd::EveryAnswer;
                Ok(())
            }
            Err(error) => Err(self.unwritten(wire, stage, error, load).await),
        }
    }

    /// Writes a message. The last bytes, together with the commands of the next message, are written only if the commit
    /// point allows it, the connection is open and the server has not replied yet: without them it does not have the
    /// message.
    async fn through(
        &mut self,
        commit_point: &dyn CommitPoint,
        wire: &mut Wire,
        (bytes, load): (&[u8], Load),
        replies: usize,
        deadline: Instant,
    ) -> Result<Result<(), WireError>, Failure> {
        let (most, last) = bytes.split_at(bytes.len().saturating_sub(HELD_BACK));
        if let Err(error) = wire.write_beginning(most, replies, deadline).await {
            return Ok(Err(error));
        }
        if !commit_point.reach(&self.may_get_it()).await {
            return Err(Failure { fate: Fate::Withheld, ..Failure::new(Stage::Data, Cause::ConnectionLost, true) });
        }
        let looked = wire.look().await;
        match wire.missing() {
            None => return Ok(Err(WireError::Unasked)),
            // A refusal, or an error of the server: it is read as the next reply.
            Some(0) => {
                self.before_the_end = BeforeTheEnd::EveryAnswer;
                return Ok(Ok(()));
            }
            Some(1) => self.before_the_end = BeforeTheEnd::EveryOtherAnswer,
            Some(_) => {}
        }
        if let Err(error) = looked {
            return Ok(Err(error));
        }
        // If this write fails, it is unknown whether the bytes were sent.
        let uncertain = |error| Failure::wire(Stage::Data, error).maybe_sent();
        self.ahead.begins = if load == Load::AwaitedMessage { self.begin_next() } else { None };
        let written = match &self.ahead.begins {
            Some(begun) => {
                let group = [last, &begun.bytes()].concat();
                wire.write_end_and_begin(&group, begun.replies(), deadline).await
            }
            None if load == Load::AwaitedMessage && self.asks_with_the_end() => {
                self.ahead.asks = true;
                self.transcript.client("RSET");
                wire.write_end_and_ask(&[last, b"RSET\r\n"].concat(), deadline).await
            }
            None => wire.write_end(last, deadline).await,
        };
        written.map(Ok).map_err(uncertain)
    }
}
