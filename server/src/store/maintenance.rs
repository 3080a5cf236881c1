//! Server side. What is forgotten, counted, and written for its own sake.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{StoreError, outbox::QueueMetrics};

/// What is forgotten, counted, and written for its own sake.
#[async_trait]
pub trait MaintenanceStore: Send + Sync {
    /// Forgets drafts that are too old, sessions that ended before `sessions_before`, tokens that expired before `now`, and entries of the history
    /// that are older than a year.
    async fn sweep(&self, now: Timestamp, sessions_before: Timestamp) -> Result<(), StoreError>;
    /// Forgets messages that were finished before `finished_before`, contents of those finished before `content_before`, and
    /// lanes that are empty; at most `limit` of each, and not for long, since it writes. How many.
    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, limit: u32)
    -> Result<u64, StoreError>;
    /// Writes as much as a message to the disk, to find out whether messages can be accepted.
    async fn heartbeat(&self, at: Timestamp) -> Result<(), StoreError>;
    async fn queue_metrics(&self, now: Timestamp) -> Result<QueueMetrics, StoreError>;
}
