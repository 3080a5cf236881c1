//! Server side. Outcomes of attempts, and what they show about profiles: one transaction for a whole group.

use app::{
    profile::{
        model::ProfileId,
        sending::{Health, HealthTransition},
    },
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{
    PostgresStore, column, events,
    profiles::{find_readable, write_health},
    queue::{lock_messages, mark_commit},
    transaction::transaction,
};
use crate::store::{
    ProfileRow, SettlementStore, StoreError,
    codec::{
        encode,
        settlements::{self, SettledRow},
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

    /// Locks the reported profiles in order; they are read afterwards.
    async fn lock_profiles(&mut self, settlements: &[&Settlement]) -> Result<(), StoreError> {
        let reports = settlements.iter().filter_map(|settlement| settlement.health.as_ref());
        let ids: Vec<String> = reports.map(|report| report.profile.to_string()).collect();
        if ids.len() > 1 {
            sqlx::query("SELECT id FROM profile WHERE id = ANY ($1) ORDER BY id FOR UPDATE")
                .bind(ids)
                .fetch_all(&mut *self)
                .await?;
        }
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
            "INSERT INTO last_failure (profile, content) VALUES ($1, $2)
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
