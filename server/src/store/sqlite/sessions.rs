//! Server side. Sessions and used tokens.

use app::{journal::model::Entry, session::AccountId, theme::GivenTheme};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Row, SqlitePool};

use super::{SqliteStore, transaction::begin};
use crate::store::{
    SessionRow, SessionStore, StoreError,
    codec::sessions::{content, session, with_theme},
    retention::Cutoffs,
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn use_token(&self, portal: &str, jti: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError> {
        let inserted =
            sqlx::query("INSERT INTO used_token (portal, jti, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(portal)
                .bind(&jti[..])
                .bind(expires_at.as_millisecond())
                .execute(&self.writer)
                .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn insert_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        let json = content(row.session.clone())?;
        sqlx::query("INSERT INTO session (key, content, expires_at, ends_at) VALUES (?, ?, ?, ?)")
            .bind(&row.session.key[..])
            .bind(json)
            .bind(row.expires_at.as_millisecond())
            .bind(row.ends_at.as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn session(&self, key: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query("SELECT content, expires_at, ends_at FROM session WHERE key = ?")
            .bind(&key[..])
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| session(&row, key)).transpose()
    }

    async fn prolong_session(&self, key: &[u8; 32], expires_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET expires_at = min(?, ends_at) WHERE key = ?")
            .bind(expires_at.as_millisecond())
            .bind(&key[..])
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn set_theme(&self, key: &[u8; 32], theme: &GivenTheme) -> Result<bool, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let row =
            sqlx::query("SELECT content FROM session WHERE key = ?").bind(&key[..]).fetch_optional(&mut *transaction);
        let Some(row) = row.await? else { return Ok(false) };
        let json = with_theme(&row.try_get::<String, _>("content")?, theme)?;
        sqlx::query("UPDATE session SET content = ? WHERE key = ?")
            .bind(json)
            .bind(&key[..])
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn renew_session(
        &self,
        key: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let renewed = sqlx::query(
            "UPDATE session SET expires_at = min(?1, ?2), ends_at = ?2 WHERE key = ?3 AND min(expires_at, ends_at) > ?4",
        )
        .bind(expires_at.as_millisecond())
        .bind(ends_at.as_millisecond())
        .bind(&key[..])
        .bind(now.as_millisecond())
        .execute(&self.writer)
        .await?;
        Ok(renewed.rows_affected() == 1)
    }

    async fn end_sessions(
        &self,
        account: &AccountId,
        person: Option<&str>,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<u64, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = sqlx::query(
            "UPDATE session SET expires_at = ?1, ends_at = 0
             WHERE content ->> '$.account.portal' = ?2 AND content ->> '$.account.account' = ?3
               AND (?4 IS NULL OR content ->> '$.person.id' = ?4) AND expires_at > ?1",
        )
        .bind(now.as_millisecond())
        .bind(&account.portal)
        .bind(&account.account)
        .bind(person)
        .execute(&mut *transaction)
        .await?;
        if ended.rows_affected() > 0 {
            super::journal::note(&mut transaction, account, entry).await?;
        }
        transaction.commit().await?;
        Ok(ended.rows_affected())
    }

    async fn delete_session(&self, key: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session WHERE key = ?").bind(&key[..]).execute(&self.writer).await?;
        Ok(())
    }
}

/// A bounded number of rows, since the caller waits for the writer. Each opening adds one row of each kind and deletes
/// up to this many, so the backlog does not grow.
pub(super) const SWEEP_SESSIONS: &str =
    "DELETE FROM session WHERE key IN (SELECT key FROM session WHERE expires_at < ? LIMIT 500)";
pub(super) const SWEEP_TOKENS: &str = "DELETE FROM used_token WHERE (portal, jti) IN
     (SELECT portal, jti FROM used_token WHERE expires_at < ? LIMIT 500)";

pub(super) async fn sweep(pool: &SqlitePool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP_SESSIONS).bind(cutoffs.sessions.as_millisecond()).execute(pool).await?;
    sqlx::query(SWEEP_TOKENS).bind(cutoffs.tokens.as_millisecond()).execute(pool).await?;
    Ok(())
}
