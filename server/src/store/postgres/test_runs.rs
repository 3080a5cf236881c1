//! Server side. Test runs, and the receipts of their mails.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::port::TestRun};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{PostgresStore, limit, transaction::transaction};
use crate::store::{
    EntryFor, Receipt, StoreError, TestRecord, TestRunStore,
    codec::{
        encode,
        profiles::{receipt, test_run, verdict_code},
    },
    flow::test_runs::{self as flow, TestRunStatements},
};

#[async_trait]
impl TestRunStore for PostgresStore {
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        record: &TestRecord<'_>,
    ) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let ended = flow::record(&mut *transaction, account, id, run, record).await?;
            transaction.end(ended).await
        })
    }

    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError> {
        transaction!(self, transaction, {
            let ended = flow::try_receipt(&mut *transaction, account, id, now).await?;
            transaction.end(ended).await
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
            let ended = flow::confirm_receipt(&mut *transaction, account, id, receipt, now, entry_for).await?;
            transaction.end(ended).await
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

#[async_trait]
impl TestRunStatements for PgConnection {
    async fn write_result(
        &mut self,
        id: ProfileId,
        run: &TestRun,
        fingerprint: &[u8; 32],
        received_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE profile SET tested_fingerprint = $1, tested_at = $2, tested_verdict = $3, tested_cause = $4,
                 received_at = $5
             WHERE id = $6",
        )
        .bind(&fingerprint[..])
        .bind(run.at.as_millisecond())
        .bind(verdict_code(run.report.verdict))
        .bind(run.report.cause.map(Cause::as_str))
        .bind(received_at.map(Timestamp::as_millisecond))
        .bind(id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn keep_test(&mut self, id: ProfileId, run: &TestRun, most: u32) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO test_run (profile, at, content) VALUES ($1, $2, $3)
             ON CONFLICT (profile, at) DO UPDATE SET content = excluded.content",
        )
        .bind(id.to_string())
        .bind(run.at.as_millisecond())
        .bind(encode("test_run", "content", run)?)
        .execute(&mut *self)
        .await?;
        sqlx::query(
            "DELETE FROM test_run WHERE profile = $1 AND at NOT IN
                 (SELECT at FROM test_run WHERE profile = $1 ORDER BY at DESC LIMIT $2)",
        )
        .bind(id.to_string())
        .bind(limit(most))
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn locked_receipt(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<Receipt>, StoreError> {
        let row = sqlx::query(
            "SELECT receipt.* FROM receipt JOIN profile ON profile.id = receipt.profile
             WHERE profile.portal = $1 AND profile.account = $2 AND profile.id = $3 FOR UPDATE OF receipt",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id.to_string())
        .fetch_optional(&mut *self)
        .await?;
        row.map(|row| receipt(&row, id)).transpose()
    }

    async fn write_receipt(&mut self, id: ProfileId, receipt: Option<&Receipt>) -> Result<(), StoreError> {
        let Some(Receipt { salt, code, expires_at, tries_left }) = receipt else {
            sqlx::query("DELETE FROM receipt WHERE profile = $1").bind(id.to_string()).execute(&mut *self).await?;
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO receipt (profile, salt, code, expires_at, tries_left) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (profile) DO UPDATE SET salt = excluded.salt, code = excluded.code,
                 expires_at = excluded.expires_at, tries_left = excluded.tries_left",
        )
        .bind(id.to_string())
        .bind(&salt[..])
        .bind(&code[..])
        .bind(expires_at.as_millisecond())
        .bind(i64::from(*tries_left))
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn write_received(&mut self, id: ProfileId, at: Timestamp) -> Result<(), StoreError> {
        let received = sqlx::query("UPDATE profile SET received_at = $1 WHERE id = $2");
        received.bind(at.as_millisecond()).bind(id.to_string()).execute(&mut *self).await?;
        Ok(())
    }
}
