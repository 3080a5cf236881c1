//! A flight: commands, or a message, written at once, and what the server had answered before a message's last bytes left.

use model::{cause::Cause, stage::Stage};
use tokio::time::Instant;

use super::{Failure, Fate, Session};
use crate::smtp::{
    submit::CommitPoint,
    wire::{Wire, WireError},
};

/// How much of a message waits for the commit point: the final dot and its line end.
const HELD_BACK: usize = 3;

/// What the server had said when the end of a message was about to leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::smtp::session) enum BeforeTheEnd {
    /// Nobody looked, or some answers were still to come.
    #[default]
    Unknown,
    /// Everything but the answer to the message.
    EveryOtherAnswer,
    /// That one, too: the end stayed here.
    EveryAnswer,
}

/// What a flight carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::smtp::session) enum Load {
    Commands,
    /// A message, with or without commands before it.
    Message,
    /// A message that the server said it is ready for (354). It may think better of it.
    AwaitedMessage,
}

impl Session<'_> {
    /// Writes what so many replies are due for. A message may take what is left of the time.
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

    /// Writes a message. The last bytes, and the commands of the next message with them, are written only when the commit point
    /// allows it and the server is still there and has not answered yet: without them it has no message.
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
            // A refusal, or a lie: it is read in its turn.
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
        // Whether these left is not known when writing them fails.
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
