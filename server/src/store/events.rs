//! Server side. Events for portals.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, outbox::EventRow};

/// Events for portals.
#[async_trait]
pub trait EventStore: Send + Sync {
    async fn due_events(&self, portal: &str, now: Timestamp, limit: u32) -> Result<Vec<EventRow>, StoreError>;
    async fn event_done(&self, id: Uuid) -> Result<(), StoreError>;
    async fn event_failed(&self, id: Uuid, next_at: Timestamp) -> Result<(), StoreError>;
}
