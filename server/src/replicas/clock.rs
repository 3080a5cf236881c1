//! Server side. The database's clock, as a difference from this machine's time since boot, which cannot be set. All
//! replicas compare instants by it, so that a machine whose own clock is wrong neither takes leases away nor expires
//! messages.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    store::{StoreError, replicas::ReplicaStore},
    time::Machine,
};

/// A slower answer is too imprecise.
const LONGEST: Duration = Duration::from_secs(1);

/// The last reading of the database's clock.
pub struct DatabaseClock {
    up: Arc<dyn Fn() -> Duration + Send + Sync>,
    reading: Mutex<Reading>,
}

/// The time of the database's clock at an instant since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    shown: Timestamp,
    up: Duration,
}

impl Reading {
    fn at(self, up: Duration) -> Timestamp {
        let passed = SignedDuration::try_from(up.saturating_sub(self.up)).unwrap_or(SignedDuration::MAX);
        self.shown.checked_add(passed).unwrap_or(self.shown)
    }

    /// The next reading: the database showed `shown` at some moment between two instants. A difference within the
    /// imprecision of the answer changes nothing.
    fn next(self, before: Duration, shown: Timestamp, after: Duration) -> Self {
        let took = after.saturating_sub(before);
        let middle = Self { shown, up: before + took / 2 };
        let difference = shown.duration_since(self.at(middle.up)).unsigned_abs();
        if took > LONGEST || difference <= took / 2 + Duration::from_millis(1) { self } else { middle }
    }
}

impl DatabaseClock {
    /// Reads it for the first time, without a limit on how long that takes.
    pub async fn new(store: &dyn ReplicaStore, machine: &Machine) -> Result<Arc<Self>, StoreError> {
        let before = (machine.up)();
        let shown = store.time().await?;
        let up = before + (machine.up)().saturating_sub(before) / 2;
        let clock = Self { up: machine.up.clone(), reading: Mutex::new(Reading { shown, up }) };
        clock.read(store).await?;
        Ok(Arc::new(clock))
    }

    pub async fn read(&self, store: &dyn ReplicaStore) -> Result<(), StoreError> {
        let before = (self.up)();
        let shown = store.time().await?;
        let after = (self.up)();
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = reading.next(before, shown, after);
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).at((self.up)())
    }

    /// The machine with this clock as its wall clock.
    pub fn on_the_wall_of(self: &Arc<Self>, machine: Machine) -> Machine {
        let clock = self.clone();
        Machine { wall: Arc::new(move || clock.now()), ..machine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_reading_is_as_good_as_its_answer_was_quick() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let later = |ms| start + SignedDuration::from_millis(ms);
        let first = Reading { shown: start, up: ms(1_000) };
        assert_eq!(first.at(ms(1_500)), later(500));
        assert_eq!(first.next(ms(2_000), later(1_050), ms(2_200)), first, "within the duration of the query");
        let drifted = first.next(ms(2_000), later(1_030), ms(2_010));
        assert_eq!(drifted, Reading { shown: later(1_030), up: ms(2_005) });
        assert_eq!(first.next(ms(2_000), later(9_000), ms(3_500)), first, "too slow to be used");
        let set = first.next(ms(2_000), later(86_400_000), ms(2_000));
        assert_eq!(set.at(ms(2_500)), later(86_400_500));
    }
}
