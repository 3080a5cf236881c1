//! Server side. Outcomes of attempts, and what they show about profiles: one transaction for a whole group.

use app::{
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    SqliteStore, events,
    outcomes::{self, Outcomes},
    queue::mark_commit,
    rows::{PROFILE, encode},
    set_aside::set_aside_on,
    transaction::begin,
};
use crate::store::{
    AccountProfile, SettlementStore, StoreError,
    codec::{
        profiles::{PROFILE_KEY, profile_of_account},
        quarantine::readable,
        settlements::{self, HealthRow, JudgedHealth},
    },
    flow::settlements::{SettlementStatements, take_health},
    one_writer::{Batch, OneWriter, Written},
    outbox::{CommitMark, HealthReport, MessageState, NewEvent, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for SqliteStore {
    async fn settle_and_mark(
        &self,
        settlements: &[&Settlement],
        marks: &[&CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError> {
        let batch =
            Batch { settlements: settlements.to_vec(), marks: marks.to_vec(), marked_at: now, ..Batch::default() };
        let Written { settled, marked, .. } = self.write(&batch).await?;
        Ok((settled, marked))
    }

    fn one_writer(&self) -> Option<&dyn OneWriter> {
        Some(self)
    }

    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut settling = Settling::new(&mut transaction, &self.outcomes, false);
        let transition = take_health(&mut settling, account, None, report, at, transition_event).await?;
        transaction.commit().await?;
        Ok(transition)
    }
}

/// A transaction that writes outcomes.
pub(super) struct Settling<'t> {
    connection: &'t mut SqliteConnection,
    outcomes: &'t Outcomes,
    /// Other writers wait for the transaction, so acceptances are appended and moved later.
    appends: bool,
    /// The messages whose outcomes were appended.
    pub appended: Vec<Uuid>,
}

impl<'t> Settling<'t> {
    pub fn new(connection: &'t mut SqliteConnection, outcomes: &'t Outcomes, appends: bool) -> Self {
        Self { connection, outcomes, appends: appends && outcomes.have_room(), appended: Vec::new() }
    }

    pub(super) const fn connection(&mut self) -> &mut SqliteConnection {
        self.connection
    }
}

#[async_trait]
impl SettlementStatements for Settling<'_> {
    /// Which of the settlements may be made. The rows are read first, so that the rule (`Precondition::holds`) is not
    /// written in SQL; the transaction holds the write lock.
    async fn held(&mut self, settlements: &[&Settlement]) -> Result<Vec<bool>, StoreError> {
        let ids = settlements.iter().map(|settlement| settlement.id).filter(|id| !self.outcomes.contains(*id));
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        let rows = sqlx::query(
            "SELECT id, state, lease_owner, lease_until FROM message WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(encode("message", "id", &ids)?)
        .fetch_all(&mut *self.connection)
        .await?;
        settlements::held(settlements, &rows)
    }

    async fn write_outcomes(&mut self, settlements: &[&Settlement]) -> Result<(), StoreError> {
        let is_later = |one: &&Settlement| self.appends && one.status.state == MessageState::Accepted;
        let (later, now): (Vec<&Settlement>, Vec<&Settlement>) = settlements.iter().copied().partition(is_later);
        outcomes::write(self.connection, &now).await?;
        outcomes::append(self.connection, &later).await?;
        self.appended.extend(later.iter().map(|one| one.id));
        Ok(())
    }

    async fn locked_profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<AccountProfile>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT portal, account, {PROFILE} FROM profile WHERE id IN (SELECT value FROM json_each(?)) AND portal <> ''"
        );
        let ids: Vec<String> = ids.iter().map(ProfileId::to_string).collect();
        let rows = sqlx::query(SQL).bind(encode("profile", "id", &ids)?).fetch_all(&mut *self.connection).await?;
        let (found, damaged) = readable(PROFILE_KEY, &rows, profile_of_account)?;
        set_aside_on(self.connection, &damaged).await?;
        Ok(found)
    }

    async fn write_healths(&mut self, healths: &[JudgedHealth<'_>]) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE profile SET failures = one.value ->> 'failures', failing_cause = one.value ->> 'failing_cause',
                 broken_at = one.value ->> 'broken_at', sent_at = one.value ->> 'sent_at',
                 failed_at = one.value ->> 'failed_at', failed_cause = one.value ->> 'failed_cause',
                 checked_at = one.value ->> 'checked_at', signed_fingerprint = unhex(one.value ->> 'signed')
             FROM json_each(?) AS one WHERE profile.id = one.value ->> 'id'",
        )
        .bind(encode("profile", "failures", &healths.iter().map(HealthRow::of).collect::<Vec<_>>())?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn keep_failures(&mut self, failures: &[(ProfileId, &TestRun)]) -> Result<(), StoreError> {
        let rows = failures.iter().map(|(id, run)| Ok((id.to_string(), encode("last_failure", "content", run)?)));
        sqlx::query(
            "INSERT INTO last_failure (profile, content) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE TRUE
             ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
        )
        .bind(encode("last_failure", "content", &rows.collect::<Result<Vec<_>, StoreError>>()?)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn tell(&mut self, events: &[&NewEvent]) -> Result<(), StoreError> {
        events::insert(self.connection, events.iter().copied()).await
    }

    async fn mark(&mut self, marks: &[&CommitMark], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let is_over = |mark: &CommitMark| self.appended.contains(&mark.id) || self.outcomes.contains(mark.id);
        let (over, open): (Vec<_>, Vec<_>) = marks.iter().copied().partition(|mark| is_over(mark));
        if over.is_empty() {
            return mark_commit(self.connection, marks, now).await;
        }
        let mut marked = mark_commit(self.connection, &open, now).await?.into_iter();
        let held = |mark: &&CommitMark| !over.iter().any(|one| one.id == mark.id) && marked.next().unwrap_or(false);
        Ok(marks.iter().map(held).collect())
    }
}
