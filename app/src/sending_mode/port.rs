//! Server side. What the slice needs from the server.

use async_trait::async_trait;

use super::model::SendingMode;
use crate::{error::AppError, journal::model::Author, session::AccountId};

/// One mode per account; the portal's server until somebody chooses.
#[async_trait]
pub trait SendingModes: Send + Sync {
    async fn get(&self, account: &AccountId) -> Result<SendingMode, AppError>;
    /// Sets the mode, and says so in the history. Refused with [`AppError::Stale`] where it is not the `expected` one any
    /// more, unless it already is what is asked for.
    async fn set(&self, by: Author<'_>, mode: SendingMode, expected: Option<SendingMode>) -> Result<(), AppError>;
    /// Whether the portal has a server of its own, which stands in while the account has none that can send.
    fn portal_sends(&self, account: &AccountId) -> bool;
}
