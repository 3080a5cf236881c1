//! Server side. What the history needs from the server.

use async_trait::async_trait;
use uuid::Uuid;

use super::model::Entry;
use crate::{error::AppError, session::AccountId};

/// How many entries a page holds.
pub const PAGE_SIZE: u32 = 50;

/// The history of an account, kept for a year. The store writes each entry in the transaction of its change, so this port only
/// reads.
#[async_trait]
pub trait Journal: Send + Sync {
    /// At most [`PAGE_SIZE`] entries, the newest first, those older than `before` (keyset).
    async fn page(&self, account: &AccountId, before: Option<Uuid>) -> Result<Vec<Entry>, AppError>;
}
