//! Server side. Test runs, and the receipts of their mails.

use app::{
    diagnosis::cause::Cause, journal::model::Entry, profile::model::ProfileId, session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row;

use super::{SqliteStore, journal, profiles::find_on, settlements::Settling, transaction::begin};
use crate::store::{
    EntryFor, ProfileRow, Receipt, StoreError, TestRecord, TestRunStore,
    codec::{
        encode,
        profiles::{receipt, test_run, verdict_code},
    },
    flow::{
        AccountStatements,
        test_runs::{self as flow, TestRunStatements},
    },
};

#[async_trait]
impl TestRunStore for SqliteStore {
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        record: &TestRecord<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut statements = Settling::new(&mut transaction, &self.outcomes, false);
        let ended = flow::record(&mut statements, account, id, run, record).await?;
        transaction.end(ended).await
    }

    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut statements = Settling::new(&mut transaction, &self.outcomes, false);
        let ended = flow::try_receipt(&mut statements, account, id, now).await?;
        transaction.end(ended).await
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
        let mut statements = Settling::new(&mut transaction, &self.outcomes, false);
        let ended = flow::confirm_receipt(&mut statements, account, id, receipt, now, entry_for).await?;
        transaction.end(ended).await
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

#[async_trait]
impl AccountStatements for Settling<'_> {
    async fn locked_profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError> {
        find_on(self.connection(), account, id).await
    }

    async fn note(&mut self, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
        journal::note(self.connection(), account, entry).await
    }
}

#[async_trait]
impl TestRunStatements for Settling<'_> {
    async fn write_result(
        &mut self,
        id: ProfileId,
        run: &TestRun,
        fingerprint: &[u8; 32],
        received_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE profile SET tested_fingerprint = ?, tested_at = ?, tested_verdict = ?, tested_cause = ?, received_at = ?
             WHERE id = ?",
        )
        .bind(&fingerprint[..])
        .bind(run.at.as_millisecond())
        .bind(verdict_code(run.report.verdict))
        .bind(run.report.cause.map(Cause::as_str))
        .bind(received_at.map(Timestamp::as_millisecond))
        .bind(id.to_string())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn keep_test(&mut self, id: ProfileId, run: &TestRun, most: u32) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO test_run (profile, at, content) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET content = excluded.content",
        )
        .bind(id.to_string())
        .bind(run.at.as_millisecond())
        .bind(encode("test_run", "content", run)?)
        .execute(self.connection())
        .await?;
        sqlx::query(
            "DELETE FROM test_run WHERE profile = ?1 AND at NOT IN
                 (SELECT at FROM test_run WHERE profile = ?1 ORDER BY at DESC LIMIT ?2)",
        )
        .bind(id.to_string())
        .bind(most)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn locked_receipt(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<Receipt>, StoreError> {
        let row = sqlx::query(
            "SELECT receipt.* FROM receipt JOIN profile ON profile.id = receipt.profile
             WHERE profile.portal = ? AND profile.account = ? AND profile.id = ?",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id.to_string())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| receipt(&row, id)).transpose()
    }

    async fn write_receipt(&mut self, id: ProfileId, receipt: Option<&Receipt>) -> Result<(), StoreError> {
        let Some(Receipt { salt, code, expires_at, tries_left }) = receipt else {
            sqlx::query("DELETE FROM receipt WHERE profile = ?")
                .bind(id.to_string())
                .execute(self.connection())
                .await?;
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO receipt (profile, salt, code, expires_at, tries_left) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET salt = excluded.salt, code = excluded.code, expires_at = excluded.expires_at,
                 tries_left = excluded.tries_left",
        )
        .bind(id.to_string())
        .bind(&salt[..])
        .bind(&code[..])
        .bind(expires_at.as_millisecond())
        .bind(i64::from(*tries_left))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn write_received(&mut self, id: ProfileId, at: Timestamp) -> Result<(), StoreError> {
        let received = sqlx::query("UPDATE profile SET received_at = ? WHERE id = ?");
        received.bind(at.as_millisecond()).bind(id.to_string()).execute(self.connection()).await?;
        Ok(())
    }
}
