//! Server side. What the history needs from the server.

use async_trait::async_trait;
use uuid::Uuid;

use super::{filter::Filter, model::Entry};
use crate::{error::AppError, session::AccountId};

/// How many entries are read at once.
pub const PAGE_SIZE: u32 = 50;

/// A page of the history.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None`: there is nothing older.
    pub older: Option<Uuid>,
}

/// The history of an account, kept for a year. The store writes each entry in the transaction of its change, so this port only
/// reads.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The entries that the filter shows, those older than `before` (keyset). A page may have fewer than there are: only so much
    /// is looked through for it.
    async fn page(&self, account: &AccountId, before: Option<Uuid>, filter: &Filter) -> Result<Page, AppError>;
}
