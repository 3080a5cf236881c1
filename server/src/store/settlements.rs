//! Server side. What became of attempts, and what they tell of profiles.

use app::{profile::sending::HealthTransition, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    outbox::{HealthReport, Settled, Settlement, TransitionEvent},
};

/// What became of attempts, and what they tell of profiles.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError>;
    /// Takes in what a login told; `transition_event` makes an event of a transition.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError>;
}
