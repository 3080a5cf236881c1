//! Server side. What became of attempts, and what they tell of the profiles: one transaction for a whole group.

use app::{
    profile::{
        model::ProfileId,
        sending::{Health, HealthTransition},
    },
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, events,
    profiles::{begin, find_readable, write_health},
    queue::mark_commit,
    rows::encode,
};
use crate::store::{
    ProfileRow, SettlementStore, StoreError,
    codec::{
        settlements::{self, SettledRow},
        settling::{SettlementStatements, take_health},
    },
    one_writer::{Batch, OneWriter, Written},
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
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
        let transition = take_health(&mut *transaction, account, report, at, transition_event).await?;
        transaction.commit().await?;
        Ok(transition)
    }
}

const MOVE: &str = "UPDATE message SET state = one.value ->> 'state', recipients = one.value ->> 'recipients',
         stage = one.value ->> 'stage', cause = one.value ->> 'cause', reply = one.value ->> 'reply',
         profile = coalesce(one.value ->> 'profile', message.profile), fallback = one.value ->> 'fallback',
         tries = message.tries + (one.value ->> 'counts'), next_at = one.value ->> 'next_at',
         updated_at = one.value ->> 'at', finished_at = one.value ->> 'finished_at',
         lease_owner = iif(one.value ->> 'keeps_lease', message.lease_owner, NULL),
         lease_until = iif(one.value ->> 'keeps_lease', message.lease_until, NULL),
         ending_at = NULL, ending_to = NULL, has_content = iif(one.value ->> 'forgets', 0, message.has_content),
         wakings = ifnull((SELECT lane.wakings FROM lane
             WHERE lane.lane = message.lane AND lane.fallback = one.value ->> 'fallback'), 0)
     FROM json_each(?) AS one WHERE message.id = one.value ->> 'id'";
const KEEP: &str = "INSERT INTO attempt (message, number, content)
     SELECT one.value ->> 0,
         coalesce((SELECT max(number) FROM attempt WHERE attempt.message = one.value ->> 0), 0) + 1, one.value ->> 1
     FROM json_each(?) AS one";
const FORGET: &str = "DELETE FROM content WHERE message IN (SELECT value FROM json_each(?))";

#[async_trait]
impl SettlementStatements for SqliteConnection {
    /// Which of the settlements may be made. The rows are read first, so that the rule (`Precondition::holds`) is not SQL's;
    /// the transaction holds the only lock for writing.
    async fn held(&mut self, settlements: &[&Settlement]) -> Result<Vec<bool>, StoreError> {
        let ids: Vec<String> = settlements.iter().map(|settlement| settlement.id.to_string()).collect();
        let rows = sqlx::query(
            "SELECT id, state, lease_owner, lease_until FROM message WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(encode("message", "id", &ids)?)
        .fetch_all(&mut *self)
        .await?;
        settlements::held(settlements, &rows)
    }

    /// Three statements with one question: each question costs two changes of threads.
    async fn write_outcomes(&mut self, settlements: &[&Settlement]) -> Result<(), StoreError> {
        let rows: Vec<SettledRow> = settlements.iter().map(|one| SettledRow::of(one)).collect::<Result<_, _>>()?;
        let attempts = settlements.iter().filter_map(|one| one.attempt.as_ref().map(|attempt| (one.id, attempt)));
        let attempts: Vec<_> = attempts
            .map(|(id, attempt)| Ok((id.to_string(), encode("attempt", "content", attempt)?)))
            .collect::<Result<_, StoreError>>()?;
        let forgotten: Vec<&str> = rows.iter().filter(|row| row.forgets).map(|row| row.id.as_str()).collect();
        sqlx::query(formatcp!("{MOVE}; {KEEP}; {FORGET}"))
            .bind(encode("message", "recipients", &rows)?)
            .bind(encode("attempt", "content", &attempts)?)
            .bind(encode("content", "message", &forgotten)?)
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    /// The transaction holds the only lock for writing.
    async fn lock_profiles(&mut self, _done: &[&Settlement]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError> {
        find_readable(self, account, id).await
    }

    async fn write_health(&mut self, id: ProfileId, health: &Health, signed: &[u8; 32]) -> Result<(), StoreError> {
        write_health(self, id, health, Some(signed)).await
    }

    async fn keep_failure(&mut self, id: ProfileId, run: &TestRun) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO last_failure (profile, content) VALUES (?, ?)
             ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
        )
        .bind(id.to_string())
        .bind(encode("last_failure", "content", run)?)
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn tell(&mut self, events: &[&NewEvent]) -> Result<(), StoreError> {
        events::insert(self, events.iter().copied()).await
    }

    async fn mark(&mut self, marks: &[&CommitMark], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        mark_commit(self, marks, now).await
    }
}
