//! Server side. What portals are to be told.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::{quarantine, rows::instant};
use crate::store::{
    StoreError,
    outbox::{EventRow, NewEvent},
};

pub(super) async fn insert(connection: &mut SqliteConnection, event: &NewEvent) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO event (id, portal, content, created_at, next_at) VALUES (?, ?, ?, ?, ?)")
        .bind(event.id.to_string())
        .bind(&event.portal)
        .bind(&event.content)
        .bind(event.at.as_millisecond())
        .bind(event.at.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn due(
    (pool, writer): (&SqlitePool, &SqlitePool),
    portal: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM event WHERE portal = ? AND next_at <= ?
             AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'event' AND row = event.id)
         ORDER BY next_at LIMIT ?",
    )
    .bind(portal)
    .bind(now.as_millisecond())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let (events, damaged) = quarantine::readable(("event", "id"), &rows, event)?;
    quarantine::set_aside(writer, &damaged).await?;
    Ok(events)
}

fn event(row: &SqliteRow) -> Result<EventRow, StoreError> {
    let id: String = row.try_get("id")?;
    let wrong = |column| StoreError::Inconsistent { table: "event", column, row: id.clone() };
    Ok(EventRow {
        id: Uuid::try_parse(&id).map_err(|_| wrong("id"))?,
        portal: row.try_get("portal")?,
        content: row.try_get("content")?,
        created_at: instant(row.try_get("created_at")?),
        tries: u32::try_from(row.try_get::<i64, _>("tries")?).map_err(|_| wrong("tries"))?,
    })
}

pub(super) async fn done(pool: &SqlitePool, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM event WHERE id = ?").bind(id.to_string()).execute(pool).await?;
    Ok(())
}

pub(super) async fn failed(pool: &SqlitePool, id: Uuid, next_at: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE event SET tries = tries + 1, next_at = ? WHERE id = ?")
        .bind(next_at.as_millisecond())
        .bind(id.to_string())
        .execute(pool)
        .await?;
    Ok(())
}
