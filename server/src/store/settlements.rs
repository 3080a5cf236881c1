//! Server side. Outcomes of attempts, and what they show about profiles.

use app::{profile::sending::HealthTransition, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    one_writer::OneWriter,
    outbox::{CommitMark, HealthReport, Settled, Settlement, TransitionEvent},
};

/// Outcomes of attempts, and what they show about profiles.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    /// Writes outcomes of attempts, and commit marks of other messages; `false` where the lease does not hold any more.
    /// One transaction.
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
    /// Writes everything in one transaction, if the database has one writer.
    fn one_writer(&self) -> Option<&dyn OneWriter> {
        None
    }
    /// Records what a login showed about a profile; `transition_event` makes the event of a transition.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError>;
}
