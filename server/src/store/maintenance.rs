//! Server side. Retention, metrics, and the readiness write.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{StoreError, outbox::QueueMetrics};

/// Retention, metrics, and the readiness write.
#[async_trait]
pub trait MaintenanceStore: Send + Sync {
    /// Deletes expired drafts, sessions that ended before `sessions_before`, tokens that expired before `now`,
    /// sign-ins that expired an hour before, and entries of the history that are older than a year.
    async fn sweep(&self, now: Timestamp, sessions_before: Timestamp) -> Result<(), StoreError>;
    /// Deletes messages finished before `finished_before`, contents of those finished before `content_before`, and
    /// empty lanes: at most `limit` of each, in a short transaction. Returns how many.
    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, limit: u32)
    -> Result<u64, StoreError>;
    /// Writes as many bytes as a message has, to find out whether messages can be accepted.
    async fn heartbeat(&self, at: Timestamp) -> Result<(), StoreError>;
    async fn queue_metrics(&self, now: Timestamp) -> Result<QueueMetrics, StoreError>;
}
