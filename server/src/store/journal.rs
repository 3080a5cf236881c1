//! Server side. The accounts' histories.

use app::{journal::model::Entry, session::AccountId};
use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;

/// The accounts' histories.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Adds an entry about a change that was refused.
    async fn note_refusal(&self, account: &AccountId, entry: &Entry) -> Result<(), StoreError>;
    /// At most `limit` entries older than `before`, the newest first.
    async fn journal(&self, account: &AccountId, before: Option<Uuid>, limit: u32) -> Result<Vec<Entry>, StoreError>;
}
