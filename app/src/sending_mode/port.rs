//! Server side. What the slice needs from the server.

use async_trait::async_trait;

use super::model::SendingMode;
use crate::{error::AppError, journal::model::Author, session::AccountId};

/// One mode per account; the portal's server by default.
#[async_trait]
pub trait SendingModes: Send + Sync {
    async fn get(&self, account: &AccountId) -> Result<SendingMode, AppError>;
    /// Sets the mode and writes a history entry. [`AppError::Stale`] if the mode is no longer the `expected` one,
    /// unless it is already the wanted one.
    async fn set(&self, by: Author<'_>, mode: SendingMode, expected: Option<SendingMode>) -> Result<(), AppError>;
    /// Whether the portal has a relay, which sends while the account has no working profile.
    fn portal_sends(&self, account: &AccountId) -> bool;
}
