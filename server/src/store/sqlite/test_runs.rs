//! Server side. Test runs, and the receipts of their mails.

use app::{profile::model::ProfileId, session::AccountId, test_run::port::TestRun};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteStore, journal,
    profiles::{begin, find_on},
    rows::{encode, verdict_code},
    settlements::Settling,
};
use crate::store::{
    EntryFor, Receipt, StoreError, TestRecord, TestRunStore,
    codec::{
        profiles::{receipt, test_run},
        settling::take_health,
    },
    test_result::{KEPT_TESTS, TestResult},
};

#[async_trait]
impl TestRunStore for SqliteStore {
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        told: &TestRecord<'_>,
    ) -> Result<bool, StoreError> {
        let TestRecord { fingerprint, events, entry, .. } = *told;
        let mut transaction = begin(&self.writer).await?;
        let Some(row) = find_on(&mut transaction, account, id).await? else { return Ok(false) };
        let result = TestResult::of(&row, run, fingerprint);
        if result.is_latest {
            keep(&mut transaction, id, run, told).await?;
        }
        if let Some(report) = &result.health {
            let mut settling = Settling::new(&mut transaction, &self.outcomes, false);
            take_health(&mut settling, account, report, run.at, told.transition_event).await?;
        }
        super::events::insert(&mut transaction, events).await?;
        journal::note(&mut transaction, account, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let stored = receipt_on(&mut transaction, account, id).await?;
        let Some(receipt) = stored.and_then(|stored| stored.after_try(now)) else { return Ok(None) };
        sqlx::query("UPDATE receipt SET tries_left = ? WHERE profile = ?")
            .bind(receipt.tries_left)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(receipt))
    }

    async fn confirm_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        receipt: &Receipt,
        now: Timestamp,
        entry_for: &EntryFor<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let stored = receipt_on(&mut transaction, account, id).await?;
        if !stored.is_some_and(|stored| stored.is_of(receipt)) {
            return Ok(false);
        }
        sqlx::query("DELETE FROM receipt WHERE profile = ?").bind(id.to_string()).execute(&mut *transaction).await?;
        sqlx::query("UPDATE profile SET received_at = ? WHERE id = ?")
            .bind(now.as_millisecond())
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        let Some(row) = find_on(&mut transaction, account, id).await? else { return Ok(false) };
        journal::note(&mut transaction, account, &entry_for(&row)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn last_test(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError> {
        let row = sqlx::query(
            "SELECT test_run.content FROM test_run JOIN profile ON profile.id = test_run.profile
             WHERE profile.portal = ? AND profile.account = ? AND profile.id = ? ORDER BY test_run.at DESC LIMIT 1",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| test_run(&row.try_get::<String, _>("content")?, id)).transpose()
    }
}

/// Stores the result, and its receipt in the place of the one before. What was received with the same settings was received.
async fn keep(
    connection: &mut SqliteConnection,
    id: ProfileId,
    run: &TestRun,
    TestRecord { fingerprint, receipt, .. }: &TestRecord<'_>,
) -> Result<(), StoreError> {
    let json = encode("test_run", "content", run)?;
    sqlx::query(
        "UPDATE profile SET tested_fingerprint = ?1, tested_at = ?2, tested_verdict = ?3, tested_cause = ?4,
             received_at = CASE WHEN tested_fingerprint = ?1 THEN received_at END
         WHERE id = ?5",
    )
    .bind(&fingerprint[..])
    .bind(run.at.as_millisecond())
    .bind(verdict_code(run.report.verdict))
    .bind(run.report.cause.map(app::diagnosis::cause::Cause::as_str))
    .bind(id.to_string())
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO test_run (profile, at, content) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content")
        .bind(id.to_string())
        .bind(run.at.as_millisecond())
        .bind(json)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "DELETE FROM test_run WHERE profile = ?1 AND at NOT IN
             (SELECT at FROM test_run WHERE profile = ?1 ORDER BY at DESC LIMIT ?2)",
    )
    .bind(id.to_string())
    .bind(KEPT_TESTS)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM receipt WHERE profile = ?").bind(id.to_string()).execute(&mut *connection).await?;
    if let Some(Receipt { salt, code, expires_at, tries_left }) = receipt {
        sqlx::query("INSERT INTO receipt (profile, salt, code, expires_at, tries_left) VALUES (?, ?, ?, ?, ?)")
            .bind(id.to_string())
            .bind(&salt[..])
            .bind(&code[..])
            .bind(expires_at.as_millisecond())
            .bind(tries_left)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn receipt_on(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<Receipt>, StoreError> {
    let row = sqlx::query(
        "SELECT receipt.* FROM receipt JOIN profile ON profile.id = receipt.profile
         WHERE profile.portal = ? AND profile.account = ? AND profile.id = ?",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(|row| receipt(&row, id)).transpose()
}
