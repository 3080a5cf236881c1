//! Server side. What became of attempts, and what they tell of the profiles: one transaction for a whole group.

use std::iter::zip;

use app::{
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, events,
    profiles::{begin, find_readable, write_health},
    rows::encode,
};
use crate::store::{
    SettlementStore, StoreError,
    codec::settlements::{self, SettledRow, health_after},
    outbox::{HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
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
    settlements::held(settlements, &rows)
}

async fn move_messages(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let rows: Vec<SettledRow> = settlements.iter().map(|one| SettledRow::of(one)).collect::<Result<_, _>>()?;
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
    .bind(encode("message", "recipients", &rows)?)
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
    write_health(connection, report.profile, &health, Some(&report.fingerprint)).await?;
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
