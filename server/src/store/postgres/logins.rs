//! Server side. Places for logins, and how many were refused.

use async_trait::async_trait;
use jiff::Timestamp;
use mail::smtp::LoginOutcome;
use model::login::{Admission, LoginCount};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    PostgresStore,
    transaction::{lock_logins, transaction},
};
use crate::store::{
    Admit, LoginClaim, LoginEnd, LoginStore, StoreError,
    codec::logins::{Tally, tally},
    retention::Cutoffs,
};

#[async_trait]
impl LoginStore for PostgresStore {
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError> {
        transaction!(self, transaction, {
            lock_logins(&mut transaction, &claims.iter().map(|claim| claim.key).collect::<Vec<_>>()).await?;
            let mut admissions = Vec::with_capacity(claims.len());
            for claim in claims {
                let count = count(&mut transaction, &claim.key, claim.now).await?;
                let admission = admit(count, claim.again_after, claim.now);
                if admission == Admission::Granted {
                    sqlx::query("INSERT INTO login (id, key, at, until) VALUES ($1, $2, $3, $4)")
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
            lock_logins(&mut transaction, &ends.iter().map(|end| end.key).collect::<Vec<_>>()).await?;
            for LoginEnd { id, key, outcome, at } in ends {
                let id = id.to_string();
                let ended = match outcome {
                    LoginOutcome::Accepted => {
                        sqlx::query("DELETE FROM login WHERE id = $1 OR (key = $2 AND until IS NULL)")
                            .bind(id)
                            .bind(&key[..])
                    }
                    LoginOutcome::Unclear => sqlx::query("DELETE FROM login WHERE id = $1").bind(id),
                    // Also one whose place has ended meanwhile.
                    LoginOutcome::Refused => sqlx::query(
                        "INSERT INTO login (id, key, at, until) VALUES ($1, $2, $3, NULL)
                         ON CONFLICT (id) DO UPDATE SET at = excluded.at, until = NULL",
                    )
                    .bind(id)
                    .bind(&key[..])
                    .bind(at.as_millisecond()),
                };
                ended.execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
    }
}

/// What is known of the logins with a secret. Places whose holder is gone are forgotten.
async fn count(connection: &mut PgConnection, key: &[u8; 32], now: Timestamp) -> Result<LoginCount, StoreError> {
    let rows = sqlx::query("SELECT id, at, until FROM login WHERE key = $1")
        .bind(&key[..])
        .fetch_all(&mut *connection)
        .await?;
    let Tally { count, ended } = tally(&rows, now)?;
    if !ended.is_empty() {
        sqlx::query("DELETE FROM login WHERE id = ANY ($1)").bind(&ended).execute(connection).await?;
    }
    Ok(count)
}

/// The secret was typed anew: it begins anew.
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
