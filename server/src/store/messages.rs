//! Server side. Messages: enqueue, read, resend.

use std::collections::HashMap;

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    StoreError,
    outbox::{
        Attempt, Inserted, MessageState, MessageWithAttempts, QueuedMessage, ResendOutcome, ResendRule, ResendTimes,
        SettledDay, StoredMessage,
    },
};

/// Messages: enqueue, read, resend.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Inserts messages; they are on disk when it returns.
    async fn insert(&self, messages: &[&QueuedMessage]) -> Result<Vec<Inserted>, StoreError>;
    async fn insert_messages(&self, messages: &[QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        self.insert(&messages.iter().collect::<Vec<_>>()).await
    }
    /// The message enqueued with this key, and whether the request was the same.
    async fn message_by_key(
        &self,
        portal: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Inserted>, StoreError>;
    async fn message(&self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError>;
    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError>;
    /// At most `limit` messages of the account with their attempts, older than `before`, the newest first. With a
    /// filter, only those shown in that state ([`StateFilter`](super::outbox::StateFilter)).
    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<MessageWithAttempts>, StoreError>;
    /// At most `limit` finished messages whose last attempt went through the profile, the last finished one first.
    async fn settled_through(
        &self,
        account: &AccountId,
        profile: ProfileId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError>;
    /// The same, counted by day; days without any are left out. It reads one index entry for each of these messages,
    /// and no row: about a tenth of a second for a million.
    async fn settled_by_day(
        &self,
        account: &AccountId,
        profile: ProfileId,
        since: Timestamp,
    ) -> Result<Vec<SettledDay>, StoreError>;
    /// Texts and files of a message, sealed; `None` when they were deleted.
    async fn content(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents_of(&[id]).await?.remove(&id))
    }
    /// The sealed contents of messages, as far as they are kept.
    async fn contents_of(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<u8>>, StoreError>;
    /// Sends a message again if `rule` allows it, to the recipients it names.
    async fn resend(
        &self,
        portal: &str,
        id: Uuid,
        times: ResendTimes,
        rule: ResendRule,
    ) -> Result<ResendOutcome, StoreError>;
}
