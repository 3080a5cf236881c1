//! Server side. What became of attempts, and what they tell of the profiles: one transaction for a whole group.

use app::{
    diagnosis::cause::Cause,
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::{event::Stage, port::TestRun},
};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, events,
    profiles::{begin, find_readable},
};
use crate::store::{
    SettlementStore, StoreError,
    outbox::{HealthReport, MessageState, Precondition, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for SqliteStore {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut outcomes = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            if !message(&mut transaction, settlement).await? {
                outcomes.push(Settled { done: false, transition: None });
                continue;
            }
            let Settlement { lane, at, tell, .. } = settlement;
            let transition = match &settlement.health {
                Some(report) => health(&mut transaction, &lane.account, report, *at, *tell).await?,
                None => None,
            };
            if let Some(event) = &settlement.event {
                events::insert(&mut transaction, event).await?;
            }
            outcomes.push(Settled { done: true, transition });
        }
        transaction.commit().await?;
        Ok(outcomes)
    }

    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        tell: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let transition = health(&mut transaction, account, report, at, tell).await?;
        transaction.commit().await?;
        Ok(transition)
    }
}

/// Moves the message and keeps its attempt; `false` when the precondition does not hold.
async fn message(connection: &mut SqliteConnection, settlement: &Settlement) -> Result<bool, StoreError> {
    const LEASE: &str = "lease_owner = ?14 AND state = 'sending'";
    const ENDED: &str = "lease_until <= CAST(?14 AS INTEGER) AND state = 'sending'";
    const WAITING: &str = "?14 = '' AND state IN ('queued', 'deferred')";
    const UPDATE: &str = "UPDATE message SET state = ?1, recipients = ?2, stage = ?3, cause = ?4, reply = ?5,
        profile = coalesce(?6, profile), fallback = ?7, tries = tries + ?8, next_at = ?9, updated_at = ?10,
        finished_at = ?11, lease_owner = iif(?13, lease_owner, NULL), lease_until = iif(?13, lease_until, NULL),
        ending_at = NULL, ending_to = NULL,
        wakings = ifnull((SELECT lane.wakings FROM lane WHERE lane.lane = message.lane AND lane.fallback = ?7), 0)
        WHERE id = ?12 AND ";
    let Settlement { id, precondition, at, attempt, status, recipients, next_at, .. } = settlement;
    let state = status.state;
    let wrong = |table, column| StoreError::Inconsistent { table, column, row: id.to_string() };
    let recipients = serde_json::to_string(recipients).map_err(|_| wrong("message", "recipients"))?;
    let (sql, held_by) = match precondition {
        Precondition::Lease(owner) => (const_format::concatcp!(UPDATE, LEASE), owner.clone()),
        Precondition::LeaseEnded(by) => (const_format::concatcp!(UPDATE, ENDED), by.as_millisecond().to_string()),
        Precondition::Waiting => (const_format::concatcp!(UPDATE, WAITING), String::new()),
    };
    let updated = sqlx::query(sql)
        .bind(state.as_str())
        .bind(recipients)
        .bind(status.stage.map(Stage::as_str))
        .bind(status.cause.map(Cause::as_str))
        .bind(&status.reply)
        .bind(attempt.as_ref().and_then(|attempt| attempt.profile).map(|id| id.to_string()))
        .bind(settlement.fallback)
        .bind(settlement.counts)
        .bind(next_at.map(Timestamp::as_millisecond))
        .bind(at.as_millisecond())
        .bind(state.is_final().then_some(at.as_millisecond()))
        .bind(id.to_string())
        .bind(state == MessageState::Sending)
        .bind(held_by)
        .execute(&mut *connection)
        .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(attempt) = attempt {
        let content = serde_json::to_string(attempt).map_err(|_| wrong("attempt", "content"))?;
        sqlx::query(
            "INSERT INTO attempt (message, number, content)
             SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM attempt WHERE message = ?1",
        )
        .bind(id.to_string())
        .bind(content)
        .execute(&mut *connection)
        .await?;
    }
    if settlement.content_done {
        sqlx::query("DELETE FROM content WHERE message = ?").bind(id.to_string()).execute(&mut *connection).await?;
    }
    Ok(true)
}

/// Applies a health signal, and writes the event of a transition. A profile that was changed, deleted or damaged meanwhile is not judged.
pub(super) async fn health(
    connection: &mut SqliteConnection,
    account: &AccountId,
    report: &HealthReport,
    at: Timestamp,
    tell: Option<TransitionEvent>,
) -> Result<Option<HealthTransition>, StoreError> {
    let Some(row) = find_readable(connection, account, report.profile).await? else {
        return Ok(None);
    };
    if row.fingerprint() != report.fingerprint {
        return Ok(None);
    }
    let mut health = row.health;
    let transition = health.take(report.signal, at);
    if report.check {
        health.checked_at = Some(at);
    }
    sqlx::query(
        "UPDATE profile SET failures = ?, failing_cause = ?, broken_at = ?, sent_at = ?, failed_at = ?, failed_cause = ?,
             checked_at = ?, signed_fingerprint = ?
         WHERE id = ?",
    )
    .bind(health.failures)
    .bind(health.failing_cause.map(Cause::as_str))
    .bind(health.broken_at.map(Timestamp::as_millisecond))
    .bind(health.sent_at.map(Timestamp::as_millisecond))
    .bind(health.failed_at.map(Timestamp::as_millisecond))
    .bind(health.failed_cause.map(Cause::as_str))
    .bind(health.checked_at.map(Timestamp::as_millisecond))
    .bind(&report.fingerprint[..])
    .bind(report.profile.to_string())
    .execute(&mut *connection)
    .await?;
    if let Some(run) = &report.failure {
        keep_failure(connection, report.profile, run).await?;
    }
    if let Some((transition, event)) = transition.zip(tell) {
        events::insert(connection, &event(account, &row, transition, at)).await?;
    }
    Ok(transition)
}

async fn keep_failure(connection: &mut SqliteConnection, id: ProfileId, run: &TestRun) -> Result<(), StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "last_failure", column: "content", row: id.to_string() };
    sqlx::query(
        "INSERT INTO last_failure (profile, content) VALUES (?, ?)
         ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
    )
    .bind(id.to_string())
    .bind(serde_json::to_string(run).map_err(wrong)?)
    .execute(connection)
    .await?;
    Ok(())
}
