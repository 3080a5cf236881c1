//! Server side. Messages: given, looked at, sent again.

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

/// Messages: given, looked at, sent again.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Stores messages; when it returns they are on disk.
    async fn insert(&self, messages: &[&QueuedMessage]) -> Result<Vec<Inserted>, StoreError>;
    async fn insert_messages(&self, messages: &[QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        self.insert(&messages.iter().collect::<Vec<_>>()).await
    }
    /// The message that was given with this key, and whether for the same request.
    async fn message_by_key(
        &self,
        portal: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Inserted>, StoreError>;
    async fn message(&self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError>;
    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError>;
    /// At most `limit` messages of the account with their attempts, the newest first, those older than `before`; those
    /// that are shown in this state ([`StateFilter`](super::outbox::StateFilter)).
    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<MessageWithAttempts>, StoreError>;
    /// At most `limit` messages that were last tried through the profile and are finished, the last finished one first.
    async fn settled_through(
        &self,
        account: &AccountId,
        profile: ProfileId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError>;
    /// The same counted by the day, since then; days without any are left out. It reads one entry of an index for each of these
    /// messages, and no row: about a tenth of a second for a million.
    async fn settled_by_day(
        &self,
        account: &AccountId,
        profile: ProfileId,
        since: Timestamp,
    ) -> Result<Vec<SettledDay>, StoreError>;
    /// Texts and files of a message, sealed; `None` when they are not kept any more.
    async fn content(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents_of(&[id]).await?.remove(&id))
    }
    /// The sealed contents of messages, of those that have theirs.
    async fn contents_of(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<u8>>, StoreError>;
    /// Sends a message again, when `rule` allows it and to whom it says.
    async fn resend(
        &self,
        portal: &str,
        id: Uuid,
        times: ResendTimes,
        rule: ResendRule,
    ) -> Result<ResendOutcome, StoreError>;
}
