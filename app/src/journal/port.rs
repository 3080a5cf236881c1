//! Server side. What the history needs from the server.

use async_trait::async_trait;
use uuid::Uuid;

use super::{filter::Filter, model::Entry};
use crate::{error::AppError, session::AccountId};

/// The number of entries on a page.
pub const PAGE_SIZE: u32 = 50;

/// A page of the history.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The latest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None`: there are no older entries.
    pub older: Option<Uuid>,
}

/// The history of an account, kept for a year. This port only reads: the store writes each entry in the transaction of
/// its change.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The entries that the filter matches, older than `before` (keyset). A page may have fewer entries than exist,
    /// because only a limited number is examined.
    async fn page(&self, account: &AccountId, before: Option<Uuid>, filter: &Filter) -> Result<Page, AppError>;
}
