//! Server side. Events for portals.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, limit, set_aside::set_aside};
use crate::store::{
    EventStore, StoreError,
    codec::{
        events::{EVENT, event},
        quarantine::readable,
    },
    outbox::{EventRow, NewEvent},
};

#[async_trait]
impl EventStore for PostgresStore {
    async fn due_events(&self, portal: &str, now: Timestamp, most: u32) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM event WHERE portal = $1 AND next_at <= $2
                 AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'event' AND quarantine.row = event.id)
             ORDER BY next_at, id LIMIT $3",
        )
        .bind(portal)
        .bind(now.as_millisecond())
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await?;
        let (events, damaged) = readable(EVENT, &rows, event)?;
        set_aside(&self.pool, &damaged).await?;
        Ok(events)
    }

    async fn event_done(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM event WHERE id = $1").bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    async fn event_failed(&self, id: Uuid, next_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE event SET tries = tries + 1, next_at = $1 WHERE id = $2")
            .bind(next_at.as_millisecond())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Inserts events, all with one statement.
pub(super) async fn insert<'e>(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = &'e NewEvent>,
) -> Result<(), StoreError> {
    let events: Vec<&NewEvent> = events.into_iter().collect();
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO event (id, portal, content, created_at, next_at)
         SELECT id, portal, content, at, at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS one (id, portal, content, at)",
    )
    .bind(events.iter().map(|event| event.id.to_string()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.portal.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.content.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.at.as_millisecond()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
