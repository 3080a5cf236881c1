//! Server side. A clock that does not jump, and how stored deadlines are adjusted when the machine's clock does.
//!
//! Deadlines are stored as instants of the wall clock. If that clock is set back by a day, mail would wait until
//! tomorrow; if it is set forward, every waiting message would be too old. So two clocks are compared: the wall clock,
//! and the time since boot, which cannot be set and includes sleep.
//!
//! - They disagree: the wall clock was set. The old time is used until every stored deadline has moved by the
//!   difference, in one transaction.
//! - They agree and much time has passed without the process (off, asleep, without a disk): it really passed. Overdue
//!   messages get extra time to be tried before they fail.
//!
//! The last instant is in the database, so this also holds across a restart. After a reboot, only the wall clock is
//! left: it is trusted unless it went back.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::services::Clock;
use jiff::{SignedDuration, Timestamp};

/// Clocks are corrected all the time; a smaller difference is not a jump.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);
/// A longer gap counts as downtime.
pub const AWAY: SignedDuration = SignedDuration::from_mins(5);
/// How long overdue messages are still tried after that.
pub const GRACE: SignedDuration = SignedDuration::from_hours(1);

/// One instant, by both clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub wall: Timestamp,
    /// Identifies the boot of the machine.
    pub boot: Arc<str>,
    /// Time since that boot.
    pub up: Duration,
}

/// The difference between two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// By how much the wall clock was set.
    pub jump: SignedDuration,
    /// How much time passed.
    pub passed: SignedDuration,
}

/// Computes the difference of two instants.
pub type ElapsedRule = fn(&Mark, &Mark) -> Elapsed;

impl Elapsed {
    /// Whether there was a downtime.
    pub fn is_away(&self) -> bool {
        self.passed >= AWAY
    }
}

/// The difference between two instants.
pub fn between(last: &Mark, now: &Mark) -> Elapsed {
    let wall = now.wall.duration_since(last.wall);
    let up = signed(now.up) - signed(last.up);
    // After a reboot, or on a machine restored to an earlier state, the time since boot says nothing. Then a clock that
    // went forward is trusted, one that went back is not.
    let passed = if last.boot == now.boot && !up.is_negative() { up } else { wall.max(SignedDuration::ZERO) };
    let jump = wall - passed;
    Elapsed { jump: if jump.abs() < TOLERANCE { SignedDuration::ZERO } else { jump }, passed }
}

/// As arithmetic with instants takes it; saturates.
pub fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// The clocks of a machine.
#[derive(Clone)]
pub struct Machine {
    pub wall: Clock,
    /// Time since boot, including sleep.
    pub up: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// Different after each boot.
    pub boot: Arc<str>,
}

impl Machine {
    fn mark(&self) -> Mark {
        Mark { wall: (self.wall)(), boot: self.boot.clone(), up: (self.up)() }
    }
}

/// A clock that shows a jump only after [`adopt`](Self::adopt).
pub struct Steady {
    machine: Machine,
    /// The last instant at which both clocks were trusted.
    base: Mutex<Mark>,
}

impl Steady {
    pub fn new(machine: Machine) -> Arc<Self> {
        let base = Mutex::new(machine.mark());
        Arc::new(Self { machine, base })
    }

    /// The time for everything else.
    pub fn clock(self: &Arc<Self>) -> Clock {
        let steady = self.clone();
        Arc::new(move || steady.now())
    }

    fn now(&self) -> Timestamp {
        let (mark, passage) = self.look();
        if passage.jump.is_zero() {
            return mark.wall;
        }
        let base = self.base.lock().unwrap_or_else(PoisonError::into_inner).wall;
        base.checked_add(passage.passed).unwrap_or(base)
    }

    /// The present instant, and its difference from the last adopted one.
    pub fn look(&self) -> (Mark, Elapsed) {
        let base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = self.machine.mark();
        let passage = between(&base, &mark);
        (mark, passage)
    }

    /// Trusts the clocks as they were at this instant.
    pub fn adopt(&self, mark: Mark) {
        *self.base.lock().unwrap_or_else(PoisonError::into_inner) = mark;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    const DAY: i64 = 86_400;

    fn mark(wall: i64, boot: &str, up: u64) -> Mark {
        Mark {
            wall: Timestamp::from_second(1_800_000_000 + wall).unwrap(),
            boot: boot.into(),
            up: Duration::from_secs(up),
        }
    }

    #[test]
    fn a_clock_that_was_set_and_time_that_passed_are_told_apart() {
        let seconds = SignedDuration::from_secs;
        for (what, last, now, jump, passed) in [
            ("a minute", mark(0, "a", 100), mark(60, "a", 160), 0, 60),
            ("corrected a little", mark(0, "a", 100), mark(61, "a", 160), 0, 60),
            ("set forward", mark(0, "a", 100), mark(DAY + 1, "a", 101), DAY, 1),
            ("set back", mark(0, "a", 100), mark(1 - DAY, "a", 101), -DAY, 1),
            ("slept for two days", mark(0, "a", 100), mark(2 * DAY, "a", 100 + 2 * 86_400), 0, 2 * DAY),
            ("slept, and set back", mark(0, "a", 100), mark(DAY, "a", 100 + 2 * 86_400), -DAY, 2 * DAY),
            ("off for two days", mark(0, "a", 100), mark(2 * DAY, "b", 5), 0, 2 * DAY),
            ("started again, set back", mark(0, "a", 100), mark(-DAY, "b", 5), -DAY, 0),
            ("a snapshot of the machine", mark(0, "a", 100), mark(60, "a", 40), 0, 60),
        ] {
            let expected = Elapsed { jump: seconds(jump), passed: seconds(passed) };
            assert_eq!(between(&last, &now), expected, "{what}");
        }
    }

    #[test]
    fn nobody_sees_a_jump_before_it_is_adopted() {
        let (wall, up) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicU64::new(0)));
        let machine = Machine {
            wall: {
                let wall = wall.clone();
                Arc::new(move || mark(wall.load(Ordering::SeqCst), "a", 0).wall)
            },
            up: {
                let up = up.clone();
                Arc::new(move || Duration::from_secs(up.load(Ordering::SeqCst)))
            },
            boot: "a".into(),
        };
        let steady = Steady::new(machine);
        let clock = steady.clock();
        let pass = |seconds: i64, set: i64| {
            wall.fetch_add(seconds + set, Ordering::SeqCst);
            up.fetch_add(u64::try_from(seconds).unwrap(), Ordering::SeqCst);
        };
        pass(10, 0);
        assert_eq!(clock(), mark(10, "a", 0).wall);
        for (set, adopted) in [(DAY, 20 + DAY), (-2 * DAY, 30 - DAY), (DAY, 40)] {
            let before = clock();
            pass(10, set);
            assert_eq!(clock(), before + SignedDuration::from_secs(10), "it goes on as if nothing had happened");
            let (mark_now, passage) = steady.look();
            assert_eq!(passage.jump, SignedDuration::from_secs(set));
            steady.adopt(mark_now);
            assert_eq!(clock(), mark(adopted, "a", 0).wall);
        }
    }
}
