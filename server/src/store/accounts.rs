//! Server side. Settings of accounts.

use app::{journal::model::Entry, sending_mode::model::SendingMode, session::AccountId};
use async_trait::async_trait;

use super::StoreError;

/// Settings of accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    async fn sending_mode(&self, account: &AccountId) -> Result<Option<SendingMode>, StoreError>;
    /// Sets the mode if it is still the `expected` one; `false` otherwise.
    async fn set_sending_mode(
        &self,
        account: &AccountId,
        mode: SendingMode,
        expected: Option<SendingMode>,
        entry: &Entry,
    ) -> Result<bool, StoreError>;
}
