//! Server side. What accounts chose.

use app::{journal::model::Entry, sending_mode::model::SendingMode, session::AccountId};
use async_trait::async_trait;

use super::StoreError;

/// What accounts chose.
#[async_trait]
pub trait AccountStore: Send + Sync {
    async fn sending_mode(&self, account: &AccountId) -> Result<Option<SendingMode>, StoreError>;
    /// Sets the mode, where it still is the `expected` one; `false` where it is not.
    async fn set_sending_mode(
        &self,
        account: &AccountId,
        mode: SendingMode,
        expected: Option<SendingMode>,
        entry: &Entry,
    ) -> Result<bool, StoreError>;
}
