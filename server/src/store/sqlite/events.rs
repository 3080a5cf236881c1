//! Server side. Events for portals.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{SqliteStore, rows::encode, set_aside::set_aside};
use crate::store::{
    EventStore, StoreError,
    codec::{
        events::{EVENT, event},
        quarantine::readable,
    },
    outbox::{EventRow, NewEvent},
};

#[async_trait]
impl EventStore for SqliteStore {
    async fn due_events(&self, portal: &str, now: Timestamp, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM event WHERE portal = ? AND next_at <= ?
                 AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'event' AND row = event.id)
             ORDER BY next_at LIMIT ?",
        )
        .bind(portal)
        .bind(now.as_millisecond())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        if !rows.is_empty() {
            // A portal may read the message as soon as it has the event.
            self.move_outcomes().await;
        }
        let (events, damaged) = readable(EVENT, &rows, event)?;
        set_aside(&self.writer, &damaged).await?;
        Ok(events)
    }

    async fn event_done(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM event WHERE id = ?").bind(id.to_string()).execute(&self.writer).await?;
        Ok(())
    }

    async fn event_failed(&self, id: Uuid, next_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE event SET tries = tries + 1, next_at = ? WHERE id = ?")
            .bind(next_at.as_millisecond())
            .bind(id.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// Inserts events, all with one statement.
pub(super) async fn insert<'e>(
    connection: &mut SqliteConnection,
    events: impl IntoIterator<Item = &'e NewEvent>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = events
        .into_iter()
        .map(|NewEvent { id, portal, content, at }| (id.to_string(), portal, content, at.as_millisecond()))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO event (id, portal, content, created_at, next_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3 FROM json_each(?)",
    )
    .bind(encode("event", "content", &rows)?)
    .execute(connection)
    .await?;
    Ok(())
}
