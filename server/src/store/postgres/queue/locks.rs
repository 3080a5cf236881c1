//! Server side. Locks of lanes, messages and destinations, always in the order of their keys.

use std::collections::HashMap;

use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::store::{
    StoreError,
    codec::{Columns, queue::rest},
    outbox::{Queue, Rest},
};

pub(super) fn keys(queues: &[&Queue]) -> Vec<String> {
    queues.iter().map(|queue| queue.lane.key()).collect()
}

pub(super) fn fallbacks(queues: &[&Queue]) -> Vec<bool> {
    queues.iter().map(|queue| queue.fallback).collect()
}

/// Locks lanes, and returns their destinations, by [`Queue::key`].
pub(super) async fn lock_lanes(
    connection: &mut PgConnection,
    queues: &[&Queue],
) -> Result<HashMap<String, String>, StoreError> {
    let rows = sqlx::query(
        "SELECT lane, fallback, destination FROM lane
         WHERE (lane, fallback) IN (SELECT * FROM unnest($1::text[], $2::boolean[]))
         ORDER BY lane, fallback FOR UPDATE",
    )
    .bind(keys(queues))
    .bind(fallbacks(queues))
    .fetch_all(connection)
    .await?;
    let mut behind = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (lane, fallback): (String, bool) = (row.try_get("lane")?, row.try_get("fallback")?);
        if let Some(queue) = queues.iter().find(|queue| queue.fallback == fallback && queue.lane.key() == lane) {
            behind.insert(queue.key(), row.try_get("destination")?);
        }
    }
    Ok(behind)
}

/// Locks messages in the order of their ids, and returns their leases.
pub(in crate::store::postgres) async fn lock_messages(
    connection: &mut PgConnection,
    ids: &[String],
) -> Result<Vec<PgRow>, StoreError> {
    let locked = sqlx::query(
        "SELECT id, state, cause, lease_owner, lease_until FROM message WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
    );
    Ok(locked.bind(ids).fetch_all(connection).await?)
}

/// Inserts missing destinations: without a row there is nothing to lock.
pub(super) async fn make_destinations(connection: &mut PgConnection, names: &[String]) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO destination (destination) SELECT DISTINCT name FROM unnest($1::text[]) AS given (name)
         WHERE NOT EXISTS (SELECT 1 FROM destination WHERE destination.destination = name)
         ORDER BY name ON CONFLICT DO NOTHING",
    )
    .bind(names)
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks destinations, and returns their back-off.
pub(super) async fn lock_destinations(
    connection: &mut PgConnection,
    names: &[String],
) -> Result<HashMap<String, Rest>, StoreError> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT destination, rests_until, troubles, cause FROM destination
         WHERE destination = ANY ($1) ORDER BY destination FOR UPDATE",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.text("destination")?, rest(row)?))).collect()
}
