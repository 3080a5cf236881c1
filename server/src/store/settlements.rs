//! Server side. What became of attempts, and what they tell of profiles.

use app::{profile::sending::Turn, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    outbox::{HealthReport, Settled, Settlement},
};

/// What became of attempts, and what they tell of profiles.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError>;
    /// Takes in what a login told; with `tell`, a turn becomes an event.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        tell: bool,
    ) -> Result<Option<Turn>, StoreError>;
}
