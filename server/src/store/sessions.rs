//! Server side. Sessions and used tokens.

use app::{journal::model::Entry, session::AccountId, theme::GivenTheme};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{SessionRow, StoreError};

/// Sessions and used tokens.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a token's id; `false` when it was used before.
    async fn use_token(&self, portal: &str, jti: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError>;
    async fn insert_session(&self, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(&self, key: &[u8; 32]) -> Result<Option<SessionRow>, StoreError>;
    async fn prolong_session(&self, key: &[u8; 32], expires_at: Timestamp) -> Result<(), StoreError>;
    /// Sets the theme of a session; `false` if it does not exist.
    async fn set_theme(&self, key: &[u8; 32], theme: &GivenTheme) -> Result<bool, StoreError>;
    /// Moves both ends of a session that is open at `now`; `false` when it is not.
    async fn renew_session(
        &self,
        key: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends the sessions of an account, or of one of its people, that are open at `now`, and returns how many. They are
    /// kept like sessions that expired. The entry is written if at least one ended.
    async fn end_sessions(
        &self,
        account: &AccountId,
        person: Option<&str>,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<u64, StoreError>;
    async fn delete_session(&self, key: &[u8; 32]) -> Result<(), StoreError>;
}
