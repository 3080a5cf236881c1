//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::Timestamp;
use model::login::Admission;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    PostgresStore, column,
    transaction::{lock_logins, transaction},
};
use crate::store::{
    Admit, LoginClaim, LoginEnd, LoginStore, StoreError,
    codec::logins::login,
    flow::logins::{self as flow, LoginStatements},
    logins::LoginRow,
    retention::Cutoffs,
};

#[async_trait]
impl LoginStore for PostgresStore {
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError> {
        transaction!(self, transaction, {
            lock_logins(&mut transaction, &column(claims, |one| one.key)).await?;
            let ended = flow::claim(&mut *transaction, claims, admit).await?;
            transaction.end(ended).await
        })
    }

    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE login SET until = $1 WHERE id = $2 AND until IS NOT NULL")
            .bind(until.as_millisecond())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError> {
        transaction!(self, transaction, {
            lock_logins(&mut transaction, &column(ends, |one| one.key)).await?;
            let ended = flow::end(&mut *transaction, ends).await?;
            transaction.end(ended).await
        })
    }
}

#[async_trait]
impl LoginStatements for PgConnection {
    async fn logins(&mut self, keys: &[[u8; 32]]) -> Result<Vec<LoginRow>, StoreError> {
        let rows = sqlx::query("SELECT id, key, at, until FROM login WHERE key = ANY ($1)")
            .bind(column(keys, |key| key.to_vec()))
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
             SELECT id, key, at, until FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[])
                 AS one (id, key, at, until)
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, until = excluded.until",
        )
        .bind(column(rows, |row| row.id.to_string()))
        .bind(column(rows, |row| row.key.to_vec()))
        .bind(column(rows, |row| row.entry.at.as_millisecond()))
        .bind(column(rows, |row| row.entry.until.map(Timestamp::as_millisecond)))
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn delete_logins(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query("DELETE FROM login WHERE id = ANY ($1)")
            .bind(column(ids, Uuid::to_string))
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    async fn delete_refusals(&mut self, keys: &[[u8; 32]]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query("DELETE FROM login WHERE key = ANY ($1) AND until IS NULL")
            .bind(column(keys, |key| key.to_vec()))
            .execute(&mut *self)
            .await?;
        Ok(())
    }
}

/// The secret was entered again: reset.
pub(super) async fn forgive(connection: &mut PgConnection, key: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM login WHERE key = $1 AND until IS NULL").bind(&key[..]).execute(connection).await?;
    Ok(())
}

/// A profile's secret is counted under another key from now on.
pub(super) async fn rename(connection: &mut PgConnection, old: &[u8], new: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("UPDATE login SET key = $1 WHERE key = $2").bind(&new[..]).bind(old).execute(connection).await?;
    Ok(())
}

/// What is old and belongs to a profile stays: looking at all of it would take longer and longer. So a sweep looks at the rows
/// on both sides of a random key.
const SWEEP: &str = "WITH start AS MATERIALIZED (SELECT sha256(gen_random_uuid()::text::bytea) AS key),
     looked_at AS MATERIALIZED (
         (SELECT ctid AS place, key, at FROM login WHERE key >= (SELECT key FROM start) ORDER BY key LIMIT 500)
         UNION ALL
         (SELECT ctid, key, at FROM login WHERE key < (SELECT key FROM start) ORDER BY key DESC LIMIT 500))
     DELETE FROM login WHERE ctid = ANY (ARRAY (SELECT place FROM looked_at WHERE at < $1
         AND (SELECT 1 FROM profile WHERE profile.login_key = looked_at.key LIMIT 1) IS NULL))";

pub(super) async fn sweep(pool: &PgPool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.logins.as_millisecond()).execute(pool).await?;
    Ok(())
}
