//! Server side. The last instant that was seen, and every deadline moved when the clock was set.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, profiles::begin, rows::instant};
use crate::{
    store::{ClockStore, StoreError},
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
            for (table, columns, condition) in MOVED {
                let sets: Vec<String> = columns.iter().map(|column| format!("{column} = {column} + ?1")).collect();
                let sql = format!("UPDATE {table} SET {} WHERE {condition}", sets.join(", "));
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

/// Deadlines, and instants from which an age is counted that ends something: they move with the clock. What is not here is a
/// record of what happened when.
const MOVED: [(&str, &[&str], &str); 14] = [
    ("destination", &["rests_until"], "rests_until > 0"),
    ("destination", &["next_at"], "next_at IS NOT NULL"),
    ("lane", &["rests_until"], "rests_until > 0"),
    ("lane", &["next_at"], "next_at IS NOT NULL"),
    ("lane", &["woken_at"], "woken_at > 0"),
    ("message", &["next_at", "expires_at", "lease_until"], "state IN ('queued', 'deferred', 'sending')"),
    ("message", &["finished_at"], "finished_at IS NOT NULL"),
    ("event", &["next_at", "created_at"], "TRUE"),
    ("session", &["expires_at", "ends_at"], "TRUE"),
    ("receipt", &["expires_at"], "TRUE"),
    ("login", &["at", "until"], "TRUE"),
    ("draft", &["kept_at"], "TRUE"),
    ("profile", &["checked_at"], "checked_at IS NOT NULL"),
    // A token's own end does not move, so after a clock went back it is remembered as long as before.
    ("used_token", &["expires_at"], "?1 > 0"),
];

/// What would be too old is tried now, and for a while.
async fn give_grace(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE message SET expires_at = ?1, next_at = min(next_at, ?2)
         WHERE state IN ('queued', 'deferred', 'sending') AND expires_at < ?1",
    )
    .bind((now + GRACE).as_millisecond())
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn last_seen(connection: &mut SqliteConnection) -> Result<Option<Mark>, StoreError> {
    let row = sqlx::query("SELECT seen_at, boot, up_ms FROM clock WHERE id = 1").fetch_optional(connection).await?;
    row.map(|row| {
        let up = u64::try_from(row.try_get::<i64, _>("up_ms")?).unwrap_or_default();
        Ok(Mark {
            wall: instant(row.try_get("seen_at")?),
            boot: row.try_get::<String, _>("boot")?.into(),
            up: std::time::Duration::from_millis(up),
        })
    })
    .transpose()
}

/// In a column no instant is far from the present, so this never overflows.
fn milliseconds(jump: SignedDuration) -> i64 {
    i64::try_from(jump.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::sqlite::SqliteStore;

    /// What happened when. These stay as they were written.
    const RECORDS: [&str; 13] = [
        "clock.seen_at",
        "heartbeat.at",
        "journal.at",
        "message.created_at",
        "message.updated_at",
        "message.ending_at",
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
