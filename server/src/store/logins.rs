//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Admit, LoginClaim, LoginEnd, StoreError};
use model::login::Admission;

/// Places for logins, and how many were refused.
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// Gives places for logins where `admit` says so, one after another.
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError>;
    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError>;
    /// Gives places back. A refusal counts; an acceptance ends the count of its secret, and of no other.
    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError>;
}
