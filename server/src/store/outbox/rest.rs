//! Server side. The back-off of a destination, and who may try it meanwhile. Nothing here waits or writes.

use std::time::Duration;

use app::diagnosis::cause::Cause;
use jiff::{SignedDuration, Timestamp};

use super::{MessageState, RecipientState, StoredMessage};

/// The back-off of a destination: a server that lanes wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rest {
    /// No attempt before this time.
    pub until: Timestamp,
    /// Consecutive failures.
    pub troubles: u32,
    pub cause: Option<Cause>,
}

/// What a destination's back-off allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Any number of messages.
    Free,
    /// One message, to probe whether the server has recovered.
    Probe,
    /// None.
    Closed,
}

impl Passage {
    /// How many of `wanted` messages it allows.
    pub const fn most(self, wanted: u32) -> u32 {
        match self {
            Self::Free => wanted,
            Self::Probe if wanted > 0 => 1,
            Self::Probe | Self::Closed => 0,
        }
    }
}

impl Rest {
    pub fn passage(&self, now: Timestamp) -> Passage {
        if self.until > now {
            Passage::Closed
        } else if self.troubles > 0 {
            Passage::Probe
        } else {
            Passage::Free
        }
    }

    /// One probe at a time; without an outcome by `until`, the next one may start.
    #[must_use]
    pub fn probing(self, until: Timestamp) -> Self {
        Self { until, ..self }
    }

    /// Starts a back-off after a failure. `wait` gives its length for the number of consecutive failures. Several
    /// conversations may see the same failure: it counts once, for the `probe` or for the first report.
    #[must_use]
    pub fn after_trouble(
        self,
        now: Timestamp,
        cause: Option<Cause>,
        probe: bool,
        wait: impl FnOnce(u32) -> Duration,
    ) -> Self {
        if self.until > now && !probe {
            return self;
        }
        let troubles = self.troubles.saturating_add(1);
        let wait = SignedDuration::try_from(wait(troubles)).unwrap_or(SignedDuration::MAX);
        Self { until: now.checked_add(wait).unwrap_or(Timestamp::MAX), troubles, cause: cause.or(self.cause) }
    }
}

impl StoredMessage {
    /// Shows the back-off that a message waits for: its lane's, or its destination's. The message's own row is not
    /// written for that.
    pub fn waits_for(&mut self, until: Timestamp, cause: Option<Cause>) {
        let waits = matches!(self.state, MessageState::Queued | MessageState::Deferred);
        if waits && self.next_at.is_none_or(|next_at| next_at < until) {
            self.state = MessageState::Deferred;
            self.next_at = Some(until);
            if cause.is_some() && cause != self.cause {
                // A new cause has neither the stage nor the reply of the last one.
                (self.cause, self.stage, self.reply) = (cause, None, None);
            }
            self.cause = self.cause.or(Some(Cause::Unknown));
            // Each of its pending recipients waits for the same back-off.
            for one in self.recipients.iter_mut().filter(|one| one.state == RecipientState::Pending) {
                if one.cause.is_none() || (cause.is_some() && one.cause != cause) {
                    (one.cause, one.stage, one.reply) = (self.cause, self.stage, self.reply.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seconds(troubles: u32) -> Duration {
        Duration::from_secs(u64::from(troubles) * 10)
    }

    #[test]
    fn a_rest_ends_with_one_try_and_everything_comes_back_after_it() {
        let well = Rest::default();
        assert_eq!(well.passage(at(0)), Passage::Free);
        assert_eq!([Passage::Free, Passage::Probe, Passage::Closed].map(|passage| passage.most(9)), [9, 1, 0]);
        let rests = well.after_trouble(at(100), Some(Cause::Timeout), false, seconds);
        assert_eq!((rests.until, rests.troubles, rests.cause), (at(110), 1, Some(Cause::Timeout)));
        assert_eq!((rests.passage(at(109)), rests.passage(at(110))), (Passage::Closed, Passage::Probe));
        let probing = rests.probing(at(200));
        assert_eq!((probing.passage(at(150)), probing.passage(at(200))), (Passage::Closed, Passage::Probe));
        let again = probing.after_trouble(at(150), None, true, seconds);
        assert_eq!((again.until, again.troubles, again.cause), (at(170), 2, Some(Cause::Timeout)));
    }

    #[test]
    fn a_trouble_that_many_meet_counts_once() {
        let rests = Rest::default().after_trouble(at(100), None, false, seconds);
        assert_eq!(rests.after_trouble(at(101), Some(Cause::Timeout), false, seconds), rests);
        assert_eq!(
            rests.after_trouble(at(110), None, false, seconds).troubles,
            2,
            "a failure after its end is another one"
        );
        let never = Rest::default().after_trouble(at(1), None, false, |_| Duration::MAX);
        assert_eq!(never.until, Timestamp::MAX);
    }
}
