//! Server side. What several processes share: see the second migration.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row;

use super::{PostgresStore, column, serving::REPLICA_LOCK, transaction::transaction};
use crate::store::{
    StoreError,
    codec::instant,
    replicas::{PlaceTarget, Rate, ReplicaStore},
};

/// The channel on which every process listens.
pub(super) const CHANNEL: &str = "facteur";
/// A rate not used for this long is full again, so its row is not needed.
const RATES_LAST: Duration = Duration::from_secs(24 * 3_600);

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[async_trait]
impl ReplicaStore for PostgresStore {
    async fn renew(&self, replica: i32, lease: Duration, afresh: bool) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let renewed = sqlx::query("UPDATE replica SET until = now_ms()::bigint + $2 WHERE id = $1")
                .bind(replica)
                .bind(milliseconds(lease))
                .execute(&mut *transaction)
                .await?;
            let known = renewed.rows_affected() > 0;
            if !known {
                sqlx::query("INSERT INTO replica (id, until) VALUES ($1, now_ms()::bigint + $2)")
                    .bind(replica)
                    .bind(milliseconds(lease))
                    .execute(&mut *transaction)
                    .await?;
            } else if afresh {
                sqlx::query("DELETE FROM place WHERE replica = $1").bind(replica).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(known)
        })
    }

    async fn others(&self, replica: i32) -> Result<u64, StoreError> {
        let others: i64 = sqlx::query_scalar("SELECT count(*) FROM replica WHERE id <> $1")
            .bind(replica)
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(others).unwrap_or_default())
    }

    async fn leave(&self, replica: i32) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM replica WHERE id = $1").bind(replica).execute(&self.pool).await?;
        Ok(())
    }

    async fn forget_dead(&self, patience: Duration) -> Result<u64, StoreError> {
        // A process holds its advisory lock as long as its session lasts: if the lock can be taken, the process is
        // gone.
        let gone = sqlx::query(
            "DELETE FROM replica WHERE until < now_ms()::bigint
               AND (until < now_ms()::bigint - $1 OR pg_try_advisory_xact_lock($2, id))",
        )
        .bind(milliseconds(patience))
        .bind(REPLICA_LOCK)
        .execute(&self.pool)
        .await?;
        sqlx::query("DELETE FROM rate WHERE at < now_ms() - $1")
            .bind(milliseconds(RATES_LAST))
            .execute(&self.pool)
            .await?;
        Ok(gone.rows_affected())
    }

    async fn set_places(&self, replica: i32, targets: &[PlaceTarget]) -> Result<Vec<bool>, StoreError> {
        transaction!(self, transaction, {
            let rows = sqlx::query("SELECT granted FROM set_places($1, $2, $3, $4) ORDER BY number")
                .bind(replica)
                .bind(column(targets, |one| one.name.clone()))
                .bind(column(targets, |one| i64::from(one.target)))
                .bind(column(targets, |one| i64::from(one.most)))
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            rows.iter().map(|row| Ok(row.try_get("granted")?)).collect()
        })
    }

    async fn take_rate(&self, name: &str, rate: Rate, wanted: u32) -> Result<Result<u32, Duration>, StoreError> {
        let row = sqlx::query("SELECT taken, wait_ms FROM take_rate($1, $2, $3, $4)")
            .bind(name)
            .bind(rate.per_second / 1_000.0)
            .bind(rate.burst)
            .bind(i64::from(wanted))
            .fetch_one(&self.pool)
            .await?;
        let (taken, wait_ms): (i64, f64) = (row.try_get("taken")?, row.try_get("wait_ms")?);
        let wait = Duration::try_from_secs_f64(wait_ms.max(1.0) / 1_000.0).unwrap_or(Duration::MAX);
        Ok(u32::try_from(taken).ok().filter(|taken| *taken > 0).ok_or(wait))
    }

    async fn notify(&self, notices: &[String]) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_notify($1, notice) FROM unnest($2::text[]) AS given (notice)")
            .bind(CHANNEL)
            .bind(notices)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn time(&self) -> Result<Timestamp, StoreError> {
        let now: i64 = sqlx::query_scalar("SELECT now_ms()::bigint").fetch_one(&self.pool).await?;
        Ok(instant(now))
    }
}
