//! Server side. What the history needs from the server.

use async_trait::async_trait;
use uuid::Uuid;

use super::model::{Action, Entry};
use crate::{
    error::AppError,
    services::Services,
    session::{AccountId, Session},
};

/// How many entries a page holds.
pub const PAGE_SIZE: u32 = 50;

/// The history of an account. Entries are kept for a year.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Adds an entry: `session`'s person did it, to the profile of this name.
    async fn note(&self, session: &Session, action: Action, profile: Option<String>) -> Result<(), AppError>;

    /// At most [`PAGE_SIZE`] entries, the newest first, those older than `before` (keyset).
    async fn page(&self, account: &AccountId, before: Option<Uuid>) -> Result<Vec<Entry>, AppError>;
}

/// Notes what was done. It is done already: a history that cannot be written is logged and holds nobody up.
pub async fn note(services: &Services, session: &Session, action: Action, profile: Option<String>) {
    if services.journal.note(session, action, profile).await.is_err() {
        tracing::error!("the history was not written");
    }
}
