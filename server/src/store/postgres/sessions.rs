//! Server side. Sessions and used tokens.

use app::{journal::model::Entry, session::AccountId, theme::GivenTheme};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;

use super::{PostgresStore, journal, transaction::transaction};
use crate::store::{
    SessionRow, SessionStore, StoreError,
    codec::sessions::{content, session, with_theme},
    retention::Cutoffs,
};

#[async_trait]
impl SessionStore for PostgresStore {
    async fn use_token(&self, portal: &str, jti: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError> {
        let inserted =
            sqlx::query("INSERT INTO used_token (portal, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(portal)
                .bind(&jti[..])
                .bind(expires_at.as_millisecond())
                .execute(&self.pool)
                .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn insert_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO session (key, content, expires_at, ends_at) VALUES ($1, $2, $3, $4)")
            .bind(&row.session.key[..])
            .bind(content(row.session.clone())?)
            .bind(row.expires_at.as_millisecond())
            .bind(row.ends_at.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn session(&self, key: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query("SELECT content, expires_at, ends_at FROM session WHERE key = $1")
            .bind(&key[..])
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| session(&row, key)).transpose()
    }

    async fn prolong_session(&self, key: &[u8; 32], expires_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET expires_at = least($1::bigint, ends_at) WHERE key = $2")
            .bind(expires_at.as_millisecond())
            .bind(&key[..])
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn set_theme(&self, key: &[u8; 32], theme: &GivenTheme) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let json: Option<String> = sqlx::query_scalar("SELECT content FROM session WHERE key = $1 FOR UPDATE")
                .bind(&key[..])
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(json) = json else { return Ok(false) };
            sqlx::query("UPDATE session SET content = $1 WHERE key = $2")
                .bind(with_theme(&json, theme)?)
                .bind(&key[..])
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn renew_session(
        &self,
        key: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let renewed = sqlx::query(
            "UPDATE session SET expires_at = least($1::bigint, $2::bigint), ends_at = $2
             WHERE key = $3 AND least(expires_at, ends_at) > $4",
        )
        .bind(expires_at.as_millisecond())
        .bind(ends_at.as_millisecond())
        .bind(&key[..])
        .bind(now.as_millisecond())
        .execute(&self.pool)
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
        transaction!(self, transaction, {
            let ended = sqlx::query(
                "UPDATE session SET expires_at = $1, ends_at = 0
                 WHERE content::json -> 'account' ->> 'portal' = $2 AND content::json -> 'account' ->> 'account' = $3
                   AND ($4::text IS NULL OR content::json -> 'person' ->> 'id' = $4) AND expires_at > $1",
            )
            .bind(now.as_millisecond())
            .bind(&account.portal)
            .bind(&account.account)
            .bind(person)
            .execute(&mut *transaction)
            .await?;
            if ended.rows_affected() > 0 {
                journal::note(&mut transaction, account, entry).await?;
            }
            transaction.commit().await?;
            Ok(ended.rows_affected())
        })
    }

    async fn delete_session(&self, key: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session WHERE key = $1").bind(&key[..]).execute(&self.pool).await?;
        Ok(())
    }
}

/// Each opening of the configurator waits for these: they are bounded, and delete more rows than it adds.
const SWEEP_SESSIONS: &str = "DELETE FROM session WHERE ctid = ANY (ARRAY
     (SELECT ctid FROM session WHERE expires_at < $1 LIMIT 500 FOR UPDATE SKIP LOCKED))";
const SWEEP_TOKENS: &str = "DELETE FROM used_token WHERE ctid = ANY (ARRAY
     (SELECT ctid FROM used_token WHERE expires_at < $1 LIMIT 500 FOR UPDATE SKIP LOCKED))";

pub(super) async fn sweep(pool: &PgPool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP_SESSIONS).bind(cutoffs.sessions.as_millisecond()).execute(pool).await?;
    sqlx::query(SWEEP_TOKENS).bind(cutoffs.tokens.as_millisecond()).execute(pool).await?;
    Ok(())
}
