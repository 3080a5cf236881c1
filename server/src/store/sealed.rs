//! Server side. Everything that is sealed, page by page: for the rotation of keys.

use app::profile::model::ProfileId;
use async_trait::async_trait;
use uuid::Uuid;

use super::{AccountProfile, SealedSecret, StoreError, outbox::SealedContent};

/// Everything that is sealed, page by page: for the rotation of keys.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// At most `limit` profiles with a secret, in the order of their ids, those after `after`.
    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Result<Vec<AccountProfile>, StoreError>;
    /// Puts an envelope in the place of another, with what its logins are counted under; `false` when it is not there any
    /// more.
    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError>;
    /// At most `limit` contents, in the order of their ids, those after `after`.
    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<SealedContent>, StoreError>;
    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;
    async fn canary(&self) -> Result<Option<Vec<u8>>, StoreError>;
    async fn set_canary(&self, sealed: &[u8]) -> Result<(), StoreError>;
}
