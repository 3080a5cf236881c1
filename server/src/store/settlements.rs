//! Server side. What became of attempts, and what they tell of profiles.

use app::{profile::sending::HealthTransition, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    one_writer::OneWriter,
    outbox::{CommitMark, HealthReport, Settled, Settlement, TransitionEvent},
};

/// What became of attempts, and what they tell of profiles.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    /// Writes what became of attempts, and notes of other messages that their end is about to be sent; `false` where the lease
    /// does not hold any more. One transaction.
    async fn settle_and_mark(
        &self,
        settlements: &[&Settlement],
        marks: &[&CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError>;
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
        let settlements: Vec<&Settlement> = settlements.iter().collect();
        Ok(self.settle_and_mark(&settlements, &[], Timestamp::MIN).await?.0)
    }
    async fn mark_commit(&self, marks: &[CommitMark], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let marks: Vec<&CommitMark> = marks.iter().collect();
        Ok(self.settle_and_mark(&[], &marks, now).await?.1)
    }
    /// What writes everything in one transaction, where the database has one writer.
    fn one_writer(&self) -> Option<&dyn OneWriter> {
        None
    }
    /// Takes in what a login told; `transition_event` makes an event of a transition.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError>;
}
