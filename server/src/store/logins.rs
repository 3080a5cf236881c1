//! Server side. Places for logins, and how many were refused.

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

/// Places for logins, and how many were refused.
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// Grants places for logins where `admit` allows it, in the order of the claims.
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError>;
    /// Extends a place until `until`, unless it was given back or has expired.
    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError>;
    /// Gives places back. A refusal counts; an acceptance ends the count of its secret, and of no other.
    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError>;
}
