//! Server side. The last instant that was seen.

use async_trait::async_trait;

use super::StoreError;
use crate::time::{Elapsed, ElapsedRule, Mark};

/// The last instant that was seen.
#[async_trait]
pub trait ClockStore: Send + Sync {
    /// Notes the present instant. What `rule` makes of it and the last one: when the clock was set, every deadline moves with
    /// it; when nobody was there for long, what would be too old gets [`GRACE`](crate::time::GRACE). `None`: it is the first.
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError>;
}
