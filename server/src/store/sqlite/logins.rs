//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::Timestamp;
use mail::smtp::LoginOutcome;
use model::login::{Admission, LoginCount};
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{SqliteStore, profiles::begin, rows::encode};
use crate::store::{
    Admit, LoginClaim, LoginEnd, LoginStore, StoreError,
    codec::logins::{Tally, tally},
    retention::Cutoffs,
};

#[async_trait]
impl LoginStore for SqliteStore {
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut admissions = Vec::with_capacity(claims.len());
        for claim in claims {
            let count = count(&mut transaction, &claim.key, claim.now).await?;
            let admission = admit(count, claim.again_after, claim.now);
            if admission == Admission::Granted {
                sqlx::query("INSERT INTO login (id, key, at, until) VALUES (?, ?, ?, ?)")
                    .bind(claim.id.to_string())
                    .bind(&claim.key[..])
                    .bind(claim.now.as_millisecond())
                    .bind(claim.until.as_millisecond())
                    .execute(&mut *transaction)
                    .await?;
            }
            admissions.push(admission);
        }
        transaction.commit().await?;
        Ok(admissions)
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
        for LoginEnd { id, key, outcome, at } in ends {
            let statement = match outcome {
                LoginOutcome::Accepted => "DELETE FROM login WHERE id = ?1 OR (key = ?2 AND until IS NULL)",
                LoginOutcome::Unclear => "DELETE FROM login WHERE id = ?1",
                // Also one whose place has ended meanwhile.
                LoginOutcome::Refused => {
                    "INSERT INTO login (id, key, at, until) VALUES (?1, ?2, ?3, NULL)
                     ON CONFLICT (id) DO UPDATE SET at = excluded.at, until = NULL"
                }
            };
            sqlx::query(statement)
                .bind(id.to_string())
                .bind(&key[..])
                .bind(at.as_millisecond())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// What is known of the logins with a secret. Places whose holder is gone are forgotten.
async fn count(connection: &mut SqliteConnection, key: &[u8; 32], now: Timestamp) -> Result<LoginCount, StoreError> {
    let rows =
        sqlx::query("SELECT id, at, until FROM login WHERE key = ?").bind(&key[..]).fetch_all(&mut *connection).await?;
    let Tally { count, ended } = tally(&rows, now)?;
    if !ended.is_empty() {
        sqlx::query("DELETE FROM login WHERE id IN (SELECT value FROM json_each(?))")
            .bind(encode("login", "id", &ended)?)
            .execute(connection)
            .await?;
    }
    Ok(count)
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
