//! Server side. The last instant seen by a running process.

use async_trait::async_trait;

use super::StoreError;
use crate::time::{Elapsed, ElapsedRule, Mark};

/// The last instant seen by a running process.
#[async_trait]
pub trait ClockStore: Send + Sync {
    /// Writes the present instant, and returns what `rule` makes of it and the last one. When the clock was set, every
    /// deadline moves with it. After a long time without any process, overdue messages get
    /// [`GRACE`](crate::time::GRACE). `None`: it is the first instant.
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError>;
}
