//! Server side. Test runs, and the receipts of their mails.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::port::TestRun};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{PostgresStore, events, journal, limit, profiles::find_locked, transaction::transaction};
use crate::store::{
    EntryFor, Receipt, StoreError, TestRecord, TestRunStore,
    codec::{
        encode,
        profiles::{receipt, test_run, verdict_code},
        settling::take_health,
    },
    test_result::{KEPT_TESTS, TestResult},
};

#[async_trait]
impl TestRunStore for PostgresStore {
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        told: &TestRecord<'_>,
    ) -> Result<bool, StoreError> {
        let TestRecord { fingerprint, entry, .. } = *told;
        transaction!(self, transaction, {
            let Some(row) = find_locked(&mut transaction, account, id).await? else { return Ok(false) };
            let result = TestResult::of(&row, run, fingerprint);
            if result.is_latest {
                keep(&mut transaction, id, run, told).await?;
            }
            if let Some(report) = &result.health {
                take_health(&mut *transaction, account, report, run.at, told.transition_event).await?;
            }
            events::insert(&mut transaction, told.events).await?;
            journal::note(&mut transaction, account, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError> {
        transaction!(self, transaction, {
            let stored = locked_receipt(&mut transaction, account, id).await?;
            let Some(receipt) = stored.and_then(|stored| stored.after_try(now)) else { return Ok(None) };
            sqlx::query("UPDATE receipt SET tries_left = $1 WHERE profile = $2")
                .bind(i64::from(receipt.tries_left))
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(Some(receipt))
        })
    }

    async fn confirm_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        receipt: &Receipt,
        now: Timestamp,
        entry_for: &EntryFor<'_>,
    ) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            if find_locked(&mut transaction, account, id).await?.is_none() {
                return Ok(false);
            }
            let stored = locked_receipt(&mut transaction, account, id).await?;
            if !stored.is_some_and(|stored| stored.is_of(receipt)) {
                return Ok(false);
            }
            sqlx::query("DELETE FROM receipt WHERE profile = $1")
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE profile SET received_at = $1 WHERE id = $2")
                .bind(now.as_millisecond())
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
            let Some(row) = find_locked(&mut transaction, account, id).await? else { return Ok(false) };
            journal::note(&mut transaction, account, &entry_for(&row)).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn last_test(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError> {
        let content: Option<String> = sqlx::query_scalar(
            "SELECT test_run.content FROM test_run JOIN profile ON profile.id = test_run.profile
             WHERE profile.portal = $1 AND profile.account = $2 AND profile.id = $3 ORDER BY test_run.at DESC LIMIT 1",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        content.map(|content| test_run(&content, id)).transpose()
    }
}

/// Stores the result, and its receipt in the place of the one before. What was received with the same settings was received.
async fn keep(
    connection: &mut PgConnection,
    id: ProfileId,
    run: &TestRun,
    TestRecord { fingerprint, receipt, .. }: &TestRecord<'_>,
) -> Result<(), StoreError> {
    let json = encode("test_run", "content", run)?;
    sqlx::query(
        "UPDATE profile SET tested_fingerprint = $1, tested_at = $2, tested_verdict = $3, tested_cause = $4,
             received_at = CASE WHEN tested_fingerprint = $1 THEN received_at END
         WHERE id = $5",
    )
    .bind(&fingerprint[..])
    .bind(run.at.as_millisecond())
    .bind(verdict_code(run.report.verdict))
    .bind(run.report.cause.map(Cause::as_str))
    .bind(id.to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO test_run (profile, at, content) VALUES ($1, $2, $3)
         ON CONFLICT (profile, at) DO UPDATE SET content = excluded.content",
    )
    .bind(id.to_string())
    .bind(run.at.as_millisecond())
    .bind(json)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM test_run WHERE profile = $1 AND at NOT IN
             (SELECT at FROM test_run WHERE profile = $1 ORDER BY at DESC LIMIT $2)",
    )
    .bind(id.to_string())
    .bind(limit(KEPT_TESTS))
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM receipt WHERE profile = $1").bind(id.to_string()).execute(&mut *connection).await?;
    if let Some(Receipt { salt, code, expires_at, tries_left }) = receipt {
        sqlx::query("INSERT INTO receipt (profile, salt, code, expires_at, tries_left) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.to_string())
            .bind(&salt[..])
            .bind(&code[..])
            .bind(expires_at.as_millisecond())
            .bind(i64::from(*tries_left))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn locked_receipt(
    connection: &mut PgConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<Receipt>, StoreError> {
    let row = sqlx::query(
        "SELECT receipt.* FROM receipt JOIN profile ON profile.id = receipt.profile
         WHERE profile.portal = $1 AND profile.account = $2 AND profile.id = $3 FOR UPDATE OF receipt",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(|row| receipt(&row, id)).transpose()
}
