//! Server side. What became of attempts, and what they tell of the profiles: one transaction for a whole group.

use std::iter::zip;

use app::{
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{
    PostgresStore, column, events,
    profiles::{find_readable, write_health},
    queue::{lock_messages, mark_locked},
    transaction::transaction,
};
use crate::store::{
    SettlementStore, StoreError,
    codec::{
        encode,
        settlements::{self, JudgedProfiles, SettledRow},
    },
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for PostgresStore {
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
        transaction!(self, transaction, {
            let settled = settle(&mut transaction, settlements).await?;
            transaction.commit().await?;
            Ok(settled)
        })
    }

    async fn settle_and_mark(
        &self,
        settlements: &[Settlement],
        marks: &[CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError> {
        // All of them in one order, before each part locks its own.
        let settled = settlements.iter().map(|settlement| settlement.id);
        let ids: Vec<String> = settled.chain(marks.iter().map(|mark| mark.id)).map(|id| id.to_string()).collect();
        transaction!(self, transaction, {
            lock_messages(&mut transaction, &ids).await?;
            let settled = settle(&mut transaction, settlements).await?;
            let marked = if marks.is_empty() { Vec::new() } else { mark_locked(&mut transaction, marks, now).await? };
            transaction.commit().await?;
            Ok((settled, marked))
        })
    }

    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Result<Option<HealthTransition>, StoreError> {
        transaction!(self, transaction, {
            let transition = health(&mut transaction, account, report, at, transition_event).await?;
            transaction.commit().await?;
            Ok(transition)
        })
    }
}

/// Writes what became of attempts.
async fn settle(connection: &mut PgConnection, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let held = held(&mut *connection, settlements).await?;
    let done: Vec<&Settlement> = zip(settlements, &held).filter(|(_, held)| **held).map(|(one, _)| one).collect();
    if !done.is_empty() {
        move_messages(&mut *connection, &done).await?;
        keep_attempts(&mut *connection, &done).await?;
        forget_contents(&mut *connection, &done).await?;
        lock_profiles(&mut *connection, &done).await?;
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

/// Which of the settlements may be made: the messages are locked first.
async fn held(connection: &mut PgConnection, settlements: &[Settlement]) -> Result<Vec<bool>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, state, lease_owner, lease_until FROM message WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
    )
    .bind(settlements.iter().map(|settlement| settlement.id.to_string()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    settlements::held(settlements, &rows)
}

async fn move_messages(connection: &mut PgConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let rows: Vec<SettledRow> = settlements.iter().map(|one| SettledRow::of(one)).collect::<Result<_, _>>()?;
    sqlx::query(
        "UPDATE message SET state = one.state, recipients = one.recipients, stage = one.stage, cause = one.cause,
             reply = one.reply, profile = coalesce(one.profile, message.profile), fallback = one.fallback,
             tries = message.tries + one.counts, next_at = one.next_at, updated_at = one.at,
             finished_at = one.finished_at,
             lease_owner = CASE WHEN one.keeps_lease THEN message.lease_owner END,
             lease_until = CASE WHEN one.keeps_lease THEN message.lease_until END,
             ending_at = NULL, ending_to = NULL,
             wakings = coalesce((SELECT lane.wakings FROM lane
                 WHERE lane.lane = message.lane AND lane.fallback = one.fallback), 0)
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
                  $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::boolean[])
             AS one (id, state, recipients, stage, cause, reply, profile, fallback, counts, next_at, at, finished_at,
                 keeps_lease)
         WHERE message.id = one.id",
    )
    .bind(column(&rows, |row| row.id.clone()))
    .bind(column(&rows, |row| row.state))
    .bind(column(&rows, |row| row.recipients.clone()))
    .bind(column(&rows, |row| row.stage))
    .bind(column(&rows, |row| row.cause))
    .bind(column(&rows, |row| row.reply.clone()))
    .bind(column(&rows, |row| row.profile.clone()))
    .bind(column(&rows, |row| row.fallback))
    .bind(column(&rows, |row| row.counts))
    .bind(column(&rows, |row| row.next_at))
    .bind(column(&rows, |row| row.at))
    .bind(column(&rows, |row| row.finished_at))
    .bind(column(&rows, |row| row.keeps_lease))
    .execute(connection)
    .await?;
    Ok(())
}

async fn keep_attempts(connection: &mut PgConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let (mut ids, mut contents) = (Vec::new(), Vec::new());
    for settlement in settlements {
        if let Some(attempt) = &settlement.attempt {
            ids.push(settlement.id.to_string());
            contents.push(encode("attempt", "content", attempt)?);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO attempt (message, number, content)
         SELECT one.message,
             coalesce((SELECT max(number) FROM attempt WHERE attempt.message = one.message), 0) + 1, one.content
         FROM unnest($1::text[], $2::text[]) AS one (message, content)",
    )
    .bind(ids)
    .bind(contents)
    .execute(connection)
    .await?;
    Ok(())
}

async fn forget_contents(connection: &mut PgConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let done = settlements.iter().filter(|settlement| settlement.content_done);
    let ids: Vec<String> = done.map(|settlement| settlement.id.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM content WHERE message = ANY ($1)").bind(ids).execute(connection).await?;
    Ok(())
}

/// Locks the profiles that something is told of, in their order; [`health`] reads them afterwards.
async fn lock_profiles(connection: &mut PgConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let reports = settlements.iter().filter_map(|settlement| settlement.health.as_ref());
    let ids: Vec<String> = reports.map(|report| report.profile.to_string()).collect();
    if ids.len() > 1 {
        sqlx::query("SELECT id FROM profile WHERE id = ANY ($1) ORDER BY id FOR UPDATE")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    }
    Ok(())
}

/// Applies one health signal, and writes the event of a transition. A profile that was changed, deleted or damaged meanwhile is
/// not judged.
pub(super) async fn health(
    connection: &mut PgConnection,
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
    connection: &mut PgConnection,
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

async fn write_healths(connection: &mut PgConnection, profiles: &JudgedProfiles) -> Result<(), StoreError> {
    for (id, health, fingerprint) in profiles.changed() {
        write_health(&mut *connection, id, health, Some(fingerprint)).await?;
    }
    Ok(())
}

async fn keep_failure(connection: &mut PgConnection, id: ProfileId, run: &TestRun) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO last_failure (profile, content) VALUES ($1, $2)
         ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
    )
    .bind(id.to_string())
    .bind(encode("last_failure", "content", run)?)
    .execute(connection)
    .await?;
    Ok(())
}
