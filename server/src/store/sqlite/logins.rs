//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::Timestamp;
use model::login::Admission;
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{SqliteStore, rows::encode, transaction::begin};
use crate::store::{
    Admit, LoginClaim, LoginEnd, LoginStore, StoreError,
    codec::logins::{WrittenLogin, hexadecimal, login},
    flow::logins::{self as flow, LoginStatements},
    logins::LoginRow,
    retention::Cutoffs,
};

#[async_trait]
impl LoginStore for SqliteStore {
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::claim(&mut *transaction, claims, admit).await?;
        transaction.end(ended).await
    }

    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE login SET until = ? WHERE id = ? AND until IS NOT NULL")
            .bind(until.as_millisecond())
            .bind(id.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::end(&mut *transaction, ends).await?;
        transaction.end(ended).await
    }
}

#[async_trait]
impl LoginStatements for SqliteConnection {
    async fn logins(&mut self, keys: &[[u8; 32]]) -> Result<Vec<LoginRow>, StoreError> {
        let rows =
            sqlx::query("SELECT id, key, at, until FROM login WHERE key IN (SELECT unhex(value) FROM json_each(?))")
                .bind(encode_keys(keys)?)
                .fetch_all(&mut *self)
                .await?;
        rows.iter().map(login).collect()
    }

    async fn write_logins(&mut self, rows: &[LoginRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO login (id, key, at, until)
             SELECT value ->> 'id', unhex(value ->> 'key'), value ->> 'at', value ->> 'until' FROM json_each(?) WHERE TRUE
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, until = excluded.until",
        )
        .bind(encode("login", "id", &rows.iter().map(WrittenLogin::of).collect::<Vec<_>>())?)
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn delete_logins(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query("DELETE FROM login WHERE id IN (SELECT value FROM json_each(?))")
            .bind(encode("login", "id", &ids.iter().map(Uuid::to_string).collect::<Vec<_>>())?)
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    async fn delete_refusals(&mut self, keys: &[[u8; 32]]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query("DELETE FROM login WHERE key IN (SELECT unhex(value) FROM json_each(?)) AND until IS NULL")
            .bind(encode_keys(keys)?)
            .execute(&mut *self)
            .await?;
        Ok(())
    }
}

fn encode_keys(keys: &[[u8; 32]]) -> Result<String, StoreError> {
    encode("login", "key", &keys.iter().map(|key| hexadecimal(key)).collect::<Vec<_>>())
}

/// The secret was entered again: reset.
pub(super) async fn forgive(connection: &mut SqliteConnection, key: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM login WHERE key = ? AND until IS NULL").bind(&key[..]).execute(connection).await?;
    Ok(())
}

/// A profile's secret is counted under another key from now on.
pub(super) async fn rename(connection: &mut SqliteConnection, old: &[u8], new: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("UPDATE login SET key = ? WHERE key = ?").bind(&new[..]).bind(old).execute(connection).await?;
    Ok(())
}

/// What is old and belongs to a profile stays: looking at all of it would take longer and longer. So a sweep looks at the rows
/// on both sides of a random key.
pub(super) const SWEEP: &str = "DELETE FROM login WHERE id IN (
     WITH start (key) AS MATERIALIZED (SELECT randomblob(32)),
          looked_at AS MATERIALIZED (
              SELECT * FROM (SELECT id, key, at FROM login WHERE key >= (SELECT key FROM start) ORDER BY key LIMIT 500)
              UNION ALL
              SELECT * FROM (SELECT id, key, at FROM login WHERE key < (SELECT key FROM start) ORDER BY key DESC LIMIT 500))
     SELECT id FROM looked_at WHERE at < ?
         AND NOT EXISTS (SELECT 1 FROM profile WHERE profile.login_key = looked_at.key))";

pub(super) async fn sweep(pool: &SqlitePool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.logins.as_millisecond()).execute(pool).await?;
    Ok(())
}
