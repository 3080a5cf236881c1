//! Server side. The accounts' histories.

use app::{journal::model::Entry, session::AccountId};
use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;

/// The accounts' histories.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Adds an entry about something that was refused, and changed nothing.
    async fn note_refusal(&self, account: &AccountId, entry: &Entry) -> Result<(), StoreError>;
    /// At most `limit` entries, the newest first, those before `before`.
    async fn journal(&self, account: &AccountId, before: Option<Uuid>, limit: u32) -> Result<Vec<Entry>, StoreError>;
}
