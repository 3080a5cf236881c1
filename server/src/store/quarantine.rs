//! Server side. Rows that cannot be decoded.

use async_trait::async_trait;

use super::{
    StoreError,
    outbox::{NewEvent, Quarantined},
};

/// Rows that cannot be decoded.
#[async_trait]
pub trait QuarantineStore: Send + Sync {
    /// At most `limit` rows quarantined since the last call of [`quarantine_told`](Self::quarantine_told). Every read
    /// quarantines rows it cannot decode, so that they do not block others.
    async fn newly_quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError>;
    /// Marks them as reported, with these events.
    async fn quarantine_told(&self, rows: &[Quarantined], events: &[NewEvent]) -> Result<(), StoreError>;
}
