//! Server side. The last instant seen, and every deadline moved when the clock was set.

use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{SqliteStore, transaction::begin};
use crate::{
    store::{
        ClockStore, StoreError,
        codec::{
            clock::{mark, milliseconds, moves},
            messages::WAITING,
        },
    },
    time::{Elapsed, ElapsedRule, GRACE, Mark},
};

#[async_trait]
impl ClockStore for SqliteStore {
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let last = last_seen(&mut transaction).await?;
        let passage = last.as_ref().map(|last| rule(last, now));
        if let Some(Elapsed { jump, .. }) = passage
            && !jump.is_zero()
        {
            for sql in moves(jump, "?1") {
                sqlx::query(sqlx::AssertSqlSafe(sql)).bind(milliseconds(jump)).execute(&mut *transaction).await?;
            }
        }
        if passage.is_some_and(|passage| passage.is_away()) {
            give_grace(&mut transaction, now.wall).await?;
        }
        sqlx::query(
            "INSERT INTO clock (id, seen_at, boot, up_ms) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, boot = excluded.boot, up_ms = excluded.up_ms",
        )
        .bind(now.wall.as_millisecond())
        .bind(&*now.boot)
        .bind(i64::try_from(now.up.as_millis()).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(passage)
    }
}

/// Makes overdue messages due now, with extra time to send them.
async fn give_grace(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    const WAITING_ONES: &str =
        formatcp!("UPDATE message SET expires_at = ?1, next_at = min(next_at, ?2) WHERE {WAITING} AND expires_at < ?1");
    sqlx::query(WAITING_ONES)
        .bind((now + GRACE).as_millisecond())
        .bind(now.as_millisecond())
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE message SET expires_at = ?1 WHERE state = 'sending' AND expires_at < ?1")
        .bind((now + GRACE).as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

async fn last_seen(connection: &mut SqliteConnection) -> Result<Option<Mark>, StoreError> {
    let row = sqlx::query("SELECT seen_at, boot, up_ms FROM clock WHERE id = 1").fetch_optional(connection).await?;
    row.map(|row| mark(&row)).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::store::{codec::clock::MOVED, sqlite::SqliteStore};

    /// Instants of past events: they stay as they were written.
    const RECORDS: [&str; 15] = [
        "clock.seen_at",
        "heartbeat.at",
        "journal.at",
        "message.created_at",
        "message.updated_at",
        "message.ending_at",
        "outcome.at",
        "profile.granted_at",
        "profile.secret_changed_at",
        "profile.tested_at",
        "profile.received_at",
        "profile.broken_at",
        "profile.sent_at",
        "profile.failed_at",
        "test_run.at",
    ];

    #[tokio::test]
    async fn every_instant_of_the_schema_is_a_deadline_or_a_record() {
        let store = SqliteStore::in_memory().await.unwrap();
        let columns: Vec<(String, String)> = sqlx::query_as(
            r"SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE '\_%' ESCAPE '\'
               AND (c.name = 'at' OR c.name LIKE '%\_at' ESCAPE '\' OR c.name LIKE '%until%')",
        )
        .fetch_all(&store.pool)
        .await
        .unwrap();
        assert!(columns.len() > 15, "{columns:?}");
        let moved: BTreeSet<String> = MOVED
            .iter()
            .flat_map(|(table, columns, _)| columns.iter().map(move |column| format!("{table}.{column}")))
            .collect();
        for (table, column) in columns {
            let name = format!("{table}.{column}");
            assert!(
                moved.contains(&name) || RECORDS.contains(&&*name),
                "{name} is an instant: does it move when the clock is set (MOVED), or is it a record (RECORDS)?"
            );
        }
    }
}
