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
    queue::mark_commit,
    rows::encode,
};
use crate::store::{
    SettlementStore, StoreError,
    codec::settlements::{self, JudgedProfiles, SettledRow},
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for SqliteStore {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let settled = settle(&mut transaction, settlements).await?;
        transaction.commit().await?;
        Ok(settled)
    }

    async fn settle_and_mark(
        &self,
        settlements: &[Settlement],
        marks: &[CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let settled = settle(&mut transaction, settlements).await?;
        let marked = if marks.is_empty() { Vec::new() } else { mark_commit(&mut transaction, marks, now).await? };
        transaction.commit().await?;
        Ok((settled, marked))
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

/// Writes what became of attempts.
async fn settle(connection: &mut SqliteConnection, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let held = held(&mut *connection, settlements).await?;
    let done: Vec<&Settlement> = zip(settlements, &held).filter(|(_, held)| **held).map(|(one, _)| one).collect();
    if !done.is_empty() {
        move_messages(&mut *connection, &done).await?;
        keep_attempts(&mut *connection, &done).await?;
        forget_contents(&mut *connection, &done).await?;
    }
    let mut outcomes = Vec::with_capacity(settlements.len());
    let mut profiles = JudgedProfiles::default();
    for (Settlement { lane, at, transition_event, health: report, .. }, done) in zip(settlements, held) {
        // Reports about one profile follow each other: the second one sees what the first one wrote.
        let transition = match report.as_ref().filter(|_| done) {
            Some(report) => {
                let told = (*at, *transition_event);
                judge(&mut *connection, &mut profiles, &lane.account, report, told).await?
            }
            None => None,
        };
        outcomes.push(Settled { done, transition });
    }
    write_healths(&mut *connection, &profiles).await?;
    let told: Vec<&NewEvent> = done.iter().filter_map(|settlement| settlement.event.as_ref()).collect();
    events::insert(connection, told).await?;
    Ok(outcomes)
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

/// Applies one health signal, and writes the event of a transition. A profile that was changed, deleted or damaged meanwhile is
/// not judged.
pub(super) async fn health(
    connection: &mut SqliteConnection,
    account: &AccountId,
    report: &HealthReport,
    at: Timestamp,
    transition_event: Option<TransitionEvent>,
) -> Result<Option<HealthTransition>, StoreError> {
    let mut profiles = JudgedProfiles::default();
    let transition = judge(&mut *connection, &mut profiles, account, report, (at, transition_event)).await?;
    write_healths(connection, &profiles).await?;
    Ok(transition)
}

/// The same in a batch, up to [`write_healths`].
async fn judge(
    connection: &mut SqliteConnection,
    profiles: &mut JudgedProfiles,
    account: &AccountId,
    report: &HealthReport,
    (at, transition_event): (Timestamp, Option<TransitionEvent>),
) -> Result<Option<HealthTransition>, StoreError> {
    if !profiles.knows(account, report.profile)
        && let Some(row) = find_readable(&mut *connection, account, report.profile).await?
    {
        profiles.read(account, row);
    }
    let Some((transition, event)) = profiles.take(account, report, at, transition_event) else { return Ok(None) };
    if let Some(run) = &report.failure {
        keep_failure(&mut *connection, report.profile, run).await?;
    }
    events::insert(connection, event.iter()).await?;
    Ok(transition)
}

async fn write_healths(connection: &mut SqliteConnection, profiles: &JudgedProfiles) -> Result<(), StoreError> {
    for (id, health, fingerprint) in profiles.changed() {
        write_health(&mut *connection, id, health, Some(fingerprint)).await?;
    }
    Ok(())
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
