//! Server side. Watches the clock. Before anything is judged by its age, stored instants move with a clock that was
//! set, and overdue messages get extra time after a period without any process. See [`crate::time`].

use std::{sync::PoisonError, time::Duration};

use tokio::time::Instant;

use super::super::Outbox;
use crate::{replicas::Notice, store::StoreError, time::between};

/// How often the present instant is written to the database.
const NOTED_EVERY: Duration = Duration::from_secs(30);

impl Outbox {
    /// Compares the clocks, and moves stored instants when they disagree.
    pub(super) async fn check_clock(&self) -> Result<(), StoreError> {
        let Some(time) = self.time.get() else { return Ok(()) };
        let (now, passage) = time.look();
        // A clock that went back is adopted at once: until the deadlines move, they are too far away, and nothing is
        // late. A clock that went forward is adopted after they have moved, for the same reason.
        if !passage.jump.is_positive() {
            time.adopt(now.clone());
        }
        let noted = *self.clock_noted_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = passage.jump.is_zero() && !passage.is_away();
        if is_quiet && noted.is_some_and(|at| at.elapsed() < NOTED_EVERY) {
            return Ok(());
        }
        // A reading of the database's clock from before the jump must not be passed on.
        self.replicas.read_clock().await;
        let (now, _) = time.look();
        // If this fails, the next look does it: the database knows the instant before the jump.
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
