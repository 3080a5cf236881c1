//! Server side. Everything sealed, page by page, for key rotation.

use app::profile::model::ProfileId;
use async_trait::async_trait;
use uuid::Uuid;

use super::{AccountProfile, SealedSecret, StoreError, outbox::SealedContent};

/// Everything sealed, page by page, for key rotation.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// At most `limit` profiles with a secret after `after`, by id.
    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Result<Vec<AccountProfile>, StoreError>;
    /// Replaces an envelope, and the key under which its logins are counted; `false` when the old envelope is not there
    /// any more.
    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError>;
    /// At most `limit` contents after `after`, by id.
    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<SealedContent>, StoreError>;
    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;
    async fn canary(&self) -> Result<Option<Vec<u8>>, StoreError>;
    async fn set_canary(&self, sealed: &[u8]) -> Result<(), StoreError>;
}
