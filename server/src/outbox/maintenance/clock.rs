//! Server side. Minds the clock: before anything is judged by its age, what is stored moves with a clock that was set, and gets
//! a while when time has passed without us. See [`crate::time`].

use std::{sync::PoisonError, time::Duration};

use tokio::time::Instant;

use super::super::Outbox;
use crate::{replicas::Notice, store::StoreError, time::between};

/// The present instant is written down so often.
const NOTED_EVERY: Duration = Duration::from_secs(30);

impl Outbox {
    /// Looks at the clocks, and moves what is stored when they disagree.
    pub(super) async fn check_clock(&self) -> Result<(), StoreError> {
        let Some(time) = self.time.get() else { return Ok(()) };
        let (now, passage) = time.look();
        // One that went back is believed at once: until the deadlines follow, they are too far away, and nothing is late. One
        // that went forward is believed when they have followed, for the same reason.
        if !passage.jump.is_positive() {
            time.adopt(now.clone());
        }
        let noted = *self.clock_noted_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = passage.jump.is_zero() && !passage.is_away();
        if is_quiet && noted.is_some_and(|at| at.elapsed() < NOTED_EVERY) {
            return Ok(());
        }
        // Of the database's clock no reading of before is given to the others.
        self.replicas.read_clock().await;
        let (now, _) = time.look();
        // When that fails it is done at the next look: the database knows the instant before the jump.
        *self.clock_noted_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let since = self.store.pass_time(&now, between).await?;
        time.adopt(now);
        *self.clock_noted_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if let Some(passage) = since.filter(|passage| !passage.jump.is_zero() || passage.is_away()) {
            let (set_by_s, passed_s) = (passage.jump.as_secs(), passage.passed.as_secs());
            if !passage.jump.is_zero() {
                self.replicas.tell(Notice::Clock);
            }
            tracing::warn!(set_by_s, passed_s, "clock change detected: deadlines were moved");
            self.work_available.notify_one();
        }
        Ok(())
    }
}
