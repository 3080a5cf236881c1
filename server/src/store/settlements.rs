//! Server side. What became of attempts, and what they tell of profiles.

use app::{profile::sending::HealthTransition, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    outbox::{CommitMark, HealthReport, Settled, Settlement, TransitionEvent},
};

/// What became of attempts, and what they tell of profiles.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError>;
    /// The same, and [`QueueStore::mark_commit`](super::QueueStore::mark_commit) for other messages, together where the store can.
    async fn settle_and_mark(
        &self,
        settlements: &[Settlement],
        marks: &[CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError>;
    /// Takes in what a login told; `transition_event` makes an event of a transition.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError>;
}
