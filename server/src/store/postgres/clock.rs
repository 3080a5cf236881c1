//! Server side. The last instant that was seen, and every deadline moved when the clock was set.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{PostgresStore, transaction::transaction};
use crate::{
    store::{
        ClockStore, StoreError,
        codec::clock::{mark, milliseconds, moves},
    },
    time::{Elapsed, ElapsedRule, GRACE, Mark},
};

#[async_trait]
impl ClockStore for PostgresStore {
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError> {
        transaction!(self, transaction, {
            // One after another, also when there is no row yet.
            sqlx::query("LOCK TABLE clock IN EXCLUSIVE MODE").execute(&mut *transaction).await?;
            let last = last_seen(&mut transaction).await?;
            let passage = last.as_ref().map(|last| rule(last, now));
            if let Some(Elapsed { jump, .. }) = passage
                && !jump.is_zero()
            {
                for sql in moves(jump, "$1") {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(milliseconds(jump)).execute(&mut *transaction).await?;
                }
            }
            if passage.is_some_and(|passage| passage.is_away()) {
                give_grace(&mut transaction, now.wall).await?;
            }
            sqlx::query(
                "INSERT INTO clock (id, seen_at, boot, up_ms) VALUES (1, $1, $2, $3)
                 ON CONFLICT (id) DO UPDATE
                     SET seen_at = excluded.seen_at, boot = excluded.boot, up_ms = excluded.up_ms",
            )
            .bind(now.wall.as_millisecond())
            .bind(&*now.boot)
            .bind(i64::try_from(now.up.as_millis()).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(passage)
        })
    }
}

/// What would be too old is tried now, and for a while.
async fn give_grace(connection: &mut PgConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE message SET expires_at = $1, next_at = CASE WHEN next_at > $2 THEN $2 ELSE next_at END
         WHERE state IN ('queued', 'deferred', 'sending') AND expires_at < $1",
    )
    .bind((now + GRACE).as_millisecond())
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn last_seen(connection: &mut PgConnection) -> Result<Option<Mark>, StoreError> {
    let row = sqlx::query("SELECT seen_at, boot, up_ms FROM clock WHERE id = 1").fetch_optional(connection).await?;
    row.map(|row| mark(&row)).transpose()
}
