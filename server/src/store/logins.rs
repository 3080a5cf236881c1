//! Server side. Login slots, and the count of refusals.

use async_trait::async_trait;
use jiff::Timestamp;
use model::login::{Admission, LoginEntry};
use uuid::Uuid;

use super::{Admit, LoginClaim, LoginEnd, StoreError};

/// A row of `login`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRow {
    pub id: Uuid,
    pub key: [u8; 32],
    pub entry: LoginEntry,
}

/// Login slots, and the count of refusals.
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// Grants places for logins where `admit` allows it, in the order of the claims.
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError>;
    /// Extends a place until `until`, unless it was given back or has expired.
    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError>;
    /// Frees slots. A refusal counts; an acceptance resets the count of its own secret only.
    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError>;
}
