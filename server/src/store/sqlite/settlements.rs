//! Server side. What became of attempts, and what they tell of the profiles: one transaction for a whole group.

use std::iter::zip;

use app::{
    diagnosis::cause::Cause,
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::{event::Stage, port::TestRun},
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, events,
    profiles::{begin, find_readable},
    rows::encode,
};
use crate::store::{
    SettlementStore, StoreError,
    codec::{self, settlements::health_after},
    outbox::{HealthReport, MessageState, NewEvent, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for SqliteStore {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let held = held(&mut transaction, settlements).await?;
        let done: Vec<&Settlement> = zip(settlements, &held).filter(|(_, held)| **held).map(|(one, _)| one).collect();
        if !done.is_empty() {
            move_messages(&mut transaction, &done).await?;
            keep_attempts(&mut transaction, &done).await?;
            forget_contents(&mut transaction, &done).await?;
        }
        let mut outcomes = Vec::with_capacity(settlements.len());
        for (Settlement { lane, at, transition_event, health: report, .. }, done) in zip(settlements, held) {
            // Reports about one profile follow each other: the second one sees what the first one wrote.
            let transition = match report.as_ref().filter(|_| done) {
                Some(report) => health(&mut transaction, &lane.account, report, *at, *transition_event).await?,
                None => None,
            };
            outcomes.push(Settled { done, transition });
        }
        let told: Vec<&NewEvent> = done.iter().filter_map(|settlement| settlement.event.as_ref()).collect();
        events::insert(&mut transaction, told).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }

    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let transition = health(&mut transaction, account, report, at, transition_event).await?;
        transaction.commit().await?;
        Ok(transition)
    }
}

/// Which of the settlements may be made. The rows are read first, so that the rule (`Precondition::holds`) is not SQL's;
/// the transaction holds the only lock for writing.
async fn held(connection: &mut SqliteConnection, settlements: &[Settlement]) -> Result<Vec<bool>, StoreError> {
    let ids: Vec<String> = settlements.iter().map(|settlement| settlement.id.to_string()).collect();
    let rows = sqlx::query(
        "SELECT id, state, lease_owner, lease_until FROM message WHERE id IN (SELECT value FROM json_each(?))",
    )
    .bind(encode("message", "id", &ids)?)
    .fetch_all(connection)
    .await?;
    codec::settlements::held(settlements, &rows)
}

async fn move_messages(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let rows = settlements.iter().map(|settlement| {
        let Settlement { id, at, attempt, status, recipients, next_at, counts, fallback, .. } = settlement;
        Ok(json!({
            "id": id.to_string(),
            "state": status.state.as_str(),
            "recipients": encode("message", "recipients", recipients)?,
            "stage": status.stage.map(Stage::as_str),
            "cause": status.cause.map(Cause::as_str),
            "reply": status.reply,
            "profile": attempt.as_ref().and_then(|attempt| attempt.profile).map(|id| id.to_string()),
            "fallback": u8::from(*fallback),
            "counts": u8::from(*counts),
            "next_at": next_at.map(Timestamp::as_millisecond),
            "at": at.as_millisecond(),
            "finished_at": status.state.is_final().then_some(at.as_millisecond()),
            // The next transaction of the same message follows under the same lease.
            "keeps_lease": u8::from(status.state == MessageState::Sending),
        }))
    });
    sqlx::query(
        "UPDATE message SET state = one.value ->> 'state', recipients = one.value ->> 'recipients',
             stage = one.value ->> 'stage', cause = one.value ->> 'cause', reply = one.value ->> 'reply',
             profile = coalesce(one.value ->> 'profile', message.profile), fallback = one.value ->> 'fallback',
             tries = message.tries + (one.value ->> 'counts'), next_at = one.value ->> 'next_at',
             updated_at = one.value ->> 'at', finished_at = one.value ->> 'finished_at',
             lease_owner = iif(one.value ->> 'keeps_lease', message.lease_owner, NULL),
             lease_until = iif(one.value ->> 'keeps_lease', message.lease_until, NULL),
             ending_at = NULL, ending_to = NULL,
             wakings = ifnull((SELECT lane.wakings FROM lane
                 WHERE lane.lane = message.lane AND lane.fallback = one.value ->> 'fallback'), 0)
         FROM json_each(?) AS one WHERE message.id = one.value ->> 'id'",
    )
    .bind(encode("message", "recipients", &rows.collect::<Result<Vec<_>, StoreError>>()?)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn keep_attempts(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let attempts = settlements.iter().filter_map(|one| one.attempt.as_ref().map(|attempt| (one.id, attempt)));
    let rows: Vec<_> = attempts
        .map(|(id, attempt)| Ok((id.to_string(), encode("attempt", "content", attempt)?)))
        .collect::<Result<_, StoreError>>()?;
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO attempt (message, number, content)
         SELECT one.value ->> 0,
             coalesce((SELECT max(number) FROM attempt WHERE attempt.message = one.value ->> 0), 0) + 1, one.value ->> 1
         FROM json_each(?) AS one",
    )
    .bind(encode("attempt", "content", &rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn forget_contents(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let done = settlements.iter().filter(|settlement| settlement.content_done);
    let ids: Vec<String> = done.map(|settlement| settlement.id.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM content WHERE message IN (SELECT value FROM json_each(?))")
        .bind(encode("content", "message", &ids)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Applies a health signal, and writes the event of a transition. A profile that was changed, deleted or damaged meanwhile is not judged.
pub(super) async fn health(
    connection: &mut SqliteConnection,
    account: &AccountId,
    report: &HealthReport,
    at: Timestamp,
    transition_event: Option<TransitionEvent>,
) -> Result<Option<HealthTransition>, StoreError> {
    let Some(row) = find_readable(connection, account, report.profile).await? else {
        return Ok(None);
    };
    let Some((health, transition)) = health_after(&row, report, at) else { return Ok(None) };
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
    if let Some((transition, event)) = transition.zip(transition_event) {
        events::insert(connection, [&event(account, &row, transition, at)]).await?;
    }
    Ok(transition)
}

async fn keep_failure(connection: &mut SqliteConnection, id: ProfileId, run: &TestRun) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO last_failure (profile, content) VALUES (?, ?)
         ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
    )
    .bind(id.to_string())
    .bind(encode("last_failure", "content", run)?)
    .execute(connection)
    .await?;
    Ok(())
}
