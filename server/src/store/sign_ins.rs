//! Server side. Sign-ins under way: from the button **Se connecter avec …** to the provider's answer.
//!
//! Of everything that a browser or the provider brings back, only the hash is stored.

use app::session::AccountId;
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::StoreError;

/// A sign-in that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRow {
    pub id: Uuid,
    pub account: AccountId,
    /// The session that began it, as its key.
    pub session: [u8; 32],
    /// The operator's client.
    pub client: String,
    /// SHA-256 of the one-time ticket that opens the provider's window.
    pub ticket: [u8; 32],
    /// SHA-256 of the `state` parameter (RFC 6749 §4.1.1).
    pub state: [u8; 32],
    /// SHA-256 of the cookie of the browser that opened the window; `None` until then.
    pub browser: Option<[u8; 32]>,
    /// The PKCE verifier and the nonce, sealed for this sign-in.
    pub sealed: Vec<u8>,
    /// Who began it, for which form: JSON.
    pub content: String,
    pub expires_at: Timestamp,
    /// How it ended: JSON; `None` until then.
    pub outcome: Option<String>,
}

/// What a callback found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsedState {
    /// It was not used before, and is now.
    First(Box<SignInRow>),
    /// It was used before.
    Again(Box<SignInRow>),
    /// There is no such sign-in, it has expired, or its window was never opened.
    Unknown,
}

/// Sign-ins.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// Stores a new one; `false` when the session has `most` open ones at `now`.
    async fn insert_sign_in(&self, row: &SignInRow, now: Timestamp, most: u32) -> Result<bool, StoreError>;
    async fn sign_in(&self, id: Uuid) -> Result<Option<SignInRow>, StoreError>;
    /// Uses up a ticket and binds the sign-in to a browser. `None`: there is no such ticket, or it was used or has
    /// expired.
    async fn use_ticket(
        &self,
        ticket: &[u8; 32],
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SignInRow>, StoreError>;
    /// Uses up the `state` of a client.
    async fn use_state(&self, state: &[u8; 32], client: &str, now: Timestamp) -> Result<UsedState, StoreError>;
    /// Writes how it ended.
    async fn end_sign_in(&self, id: Uuid, outcome: &str) -> Result<(), StoreError>;
}
