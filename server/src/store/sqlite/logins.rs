//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mail::smtp::LoginOutcome;
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{SqliteStore, profiles::begin, rows::instant};
use model::login::{Admission, LEASE, LoginCount};

use crate::store::{Admit, LoginClaim, LoginEnd, LoginStore, StoreError};

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

/// What is known of a secret that no profile has any more is forgotten after so long.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is known of the logins with a secret. Places whose holder is gone are forgotten; also those that the clock, set back
/// since, would keep for hours. Clocks of replicas may differ by a lease.
async fn count(connection: &mut SqliteConnection, key: &[u8; 32], now: Timestamp) -> Result<LoginCount, StoreError> {
    sqlx::query("DELETE FROM login WHERE key = ? AND (until <= ? OR until > ?)")
        .bind(&key[..])
        .bind(now.as_millisecond())
        .bind((now + LEASE * 2).as_millisecond())
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(
        "SELECT count(CASE WHEN until IS NULL THEN 1 END) AS refusals, count(until) AS under_way,
                max(CASE WHEN until IS NULL THEN at END) AS refused_at
         FROM login WHERE key = ?",
    )
    .bind(&key[..])
    .fetch_one(connection)
    .await?;
    let number =
        |column| -> Result<u32, StoreError> { Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX)) };
    Ok(LoginCount {
        refusals: number("refusals")?,
        under_way: number("under_way")?,
        refused_at: row.try_get::<Option<i64>, _>("refused_at")?.map(instant),
    })
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

pub(super) async fn sweep(pool: &SqlitePool, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM login WHERE at < ? AND NOT EXISTS (SELECT 1 FROM profile WHERE profile.login_key = login.key)",
    )
    .bind((now - KEPT).as_millisecond())
    .execute(pool)
    .await?;
    Ok(())
}
