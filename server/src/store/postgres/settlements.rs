//! Server side. Outcomes of attempts, and what they show about profiles: one transaction for a whole group.

use app::{
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{
    PostgresStore, column, events,
    queue::{lock_messages, mark_commit},
    set_aside::set_aside_on,
    transaction::transaction,
};
use crate::store::{
    AccountProfile, SettlementStore, StoreError,
    codec::{
        encode,
        profiles::{PROFILE, PROFILE_KEY, profile_of_account},
        quarantine::readable,
        settlements::{self, HealthRow, JudgedHealth, SettledRow},
    },
    flow::settlements::{self as flow, SettlementStatements, take_health},
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
};

#[async_trait]
impl SettlementStore for PostgresStore {
    async fn settle_and_mark(
        &self,
        settlements: &[&Settlement],
        marks: &[&CommitMark],
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Vec<bool>), StoreError> {
        // Outcomes and marks are locked together, in the usual order.
        let settled = settlements.iter().map(|settlement| settlement.id);
        let ids: Vec<String> = settled.chain(marks.iter().map(|mark| mark.id)).map(|id| id.to_string()).collect();
        transaction!(self, transaction, {
            lock_messages(&mut transaction, &ids).await?;
            let written = flow::settle_and_mark(&mut *transaction, settlements, marks, now).await?;
            transaction.commit().await?;
            Ok(written)
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
            let transition = take_health(&mut *transaction, account, None, report, at, transition_event).await?;
            transaction.commit().await?;
            Ok(transition)
        })
    }
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
             ending_at = NULL, ending_to = NULL, has_content = message.has_content AND NOT one.forgets,
             wakings = coalesce((SELECT lane.wakings FROM lane
                 WHERE lane.lane = message.lane AND lane.fallback = one.fallback), 0)
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
                  $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::boolean[],
                  $14::boolean[])
             AS one (id, state, recipients, stage, cause, reply, profile, fallback, counts, next_at, at, finished_at,
                 keeps_lease, forgets)
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
    .bind(column(&rows, |row| row.forgets))
    .execute(&mut *connection)
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
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn forget_contents(connection: &mut PgConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    let done = settlements.iter().filter(|settlement| settlement.content_done);
    let ids: Vec<String> = done.map(|settlement| settlement.id.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM content WHERE message = ANY ($1)").bind(ids).execute(&mut *connection).await?;
    Ok(())
}

#[async_trait]
impl SettlementStatements for PgConnection {
    /// Which of the settlements may be made: the messages are locked first.
    async fn held(&mut self, settlements: &[&Settlement]) -> Result<Vec<bool>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, state, lease_owner, lease_until FROM message WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        )
        .bind(settlements.iter().map(|settlement| settlement.id.to_string()).collect::<Vec<_>>())
        .fetch_all(&mut *self)
        .await?;
        settlements::held(settlements, &rows)
    }

    async fn write_outcomes(&mut self, settlements: &[&Settlement]) -> Result<(), StoreError> {
        move_messages(self, settlements).await?;
        keep_attempts(self, settlements).await?;
        forget_contents(self, settlements).await
    }

    async fn locked_profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<AccountProfile>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT portal, account, {PROFILE} FROM profile WHERE id = ANY ($1) AND portal <> ''
             ORDER BY id FOR UPDATE OF profile"
        );
        let rows = sqlx::query(SQL).bind(column(ids, ProfileId::to_string)).fetch_all(&mut *self).await?;
        let (found, damaged) = readable(PROFILE_KEY, &rows, profile_of_account)?;
        set_aside_on(self, &damaged).await?;
        Ok(found)
    }

    async fn write_healths(&mut self, healths: &[JudgedHealth<'_>]) -> Result<(), StoreError> {
        let rows: Vec<HealthRow> = healths.iter().map(HealthRow::of).collect();
        sqlx::query(
            "UPDATE profile SET failures = one.failures, failing_cause = one.failing_cause, broken_at = one.broken_at,
                 sent_at = one.sent_at, failed_at = one.failed_at, failed_cause = one.failed_cause,
                 checked_at = one.checked_at, signed_fingerprint = decode(one.signed, 'hex')
             FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
                 $8::bigint[], $9::text[])
                 AS one (id, failures, failing_cause, broken_at, sent_at, failed_at, failed_cause, checked_at, signed)
             WHERE profile.id = one.id",
        )
        .bind(column(&rows, |row| row.id.clone()))
        .bind(column(&rows, |row| row.failures))
        .bind(column(&rows, |row| row.failing_cause))
        .bind(column(&rows, |row| row.broken_at))
        .bind(column(&rows, |row| row.sent_at))
        .bind(column(&rows, |row| row.failed_at))
        .bind(column(&rows, |row| row.failed_cause))
        .bind(column(&rows, |row| row.checked_at))
        .bind(column(&rows, |row| row.signed.clone()))
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn keep_failures(&mut self, failures: &[(ProfileId, &TestRun)]) -> Result<(), StoreError> {
        let contents = failures.iter().map(|(_, run)| encode("last_failure", "content", run));
        sqlx::query(
            "INSERT INTO last_failure (profile, content) SELECT * FROM unnest($1::text[], $2::text[])
             ON CONFLICT (profile) DO UPDATE SET content = excluded.content",
        )
        .bind(column(failures, |(id, _)| id.to_string()))
        .bind(contents.collect::<Result<Vec<_>, _>>()?)
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
