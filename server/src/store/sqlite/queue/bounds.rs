//! Server side. The bounds of lanes and destinations: when something is due there, and their back-off.

use app::diagnosis::cause::Cause;
use const_format::formatcp;
use sqlx::SqliteConnection;

use crate::store::{
    StoreError,
    codec::{messages::WAITING, queue::rest},
    outbox::{Queue, Rest},
};

/// When a lane is next due; woken messages are due at `?1`.
pub(super) const NEXT_AT: &str = formatcp!(
    "CASE WHEN EXISTS (SELECT 1 FROM message WHERE {WAITING} AND message.lane = lane.lane
                           AND message.fallback = lane.fallback AND message.wakings < lane.wakings) THEN ?1
     ELSE (SELECT max(min(next_at), ?1) FROM message WHERE {WAITING} AND message.lane = lane.lane
               AND message.fallback = lane.fallback AND message.wakings = lane.wakings) END"
);

/// Raises the bound of a destination to its first due lane.
pub(super) const TIGHTEN: &str =
    "UPDATE destination SET next_at = (SELECT min(due_at) FROM lane WHERE destination = ?1 AND due_at IS NOT NULL)
     WHERE destination = ?1
       AND next_at IS NOT (SELECT min(due_at) FROM lane WHERE destination = ?1 AND due_at IS NOT NULL)";

pub(super) async fn tighten(connection: &mut SqliteConnection, destination: &str) -> Result<(), StoreError> {
    sqlx::query(TIGHTEN).bind(destination).execute(connection).await?;
    Ok(())
}

pub(super) async fn rest_of(connection: &mut SqliteConnection, destination: &str) -> Result<Rest, StoreError> {
    let row = sqlx::query("SELECT rests_until, troubles, cause FROM destination WHERE destination = ?")
        .bind(destination)
        .fetch_optional(connection)
        .await?;
    row.map_or_else(|| Ok(Rest::default()), |row| rest(&row))
}

/// `probe`: the lease whose end also ends the back-off.
pub(super) async fn keep_rest(
    connection: &mut SqliteConnection,
    destination: &str,
    rest: &Rest,
    probe: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO destination (destination, rests_until, troubles, cause, probe) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (destination) DO UPDATE SET rests_until = excluded.rests_until, troubles = excluded.troubles,
             cause = excluded.cause, probe = excluded.probe",
    )
    .bind(destination)
    .bind(rest.until.as_millisecond())
    .bind(rest.troubles)
    .bind(rest.cause.map(Cause::as_str))
    .bind(probe)
    .execute(connection)
    .await?;
    Ok(())
}

/// Assigns a lane to a destination. Returns its previous one, if that was another.
pub(super) async fn move_lane(
    connection: &mut SqliteConnection,
    Queue { lane, fallback }: &Queue,
    destination: &str,
) -> Result<Option<String>, StoreError> {
    let key = lane.key();
    let before: Option<String> = sqlx::query_scalar("SELECT destination FROM lane WHERE lane = ? AND fallback = ?")
        .bind(&key)
        .bind(fallback)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(before) = before.filter(|before| before != destination) else { return Ok(None) };
    sqlx::query("UPDATE lane SET destination = ? WHERE lane = ? AND fallback = ?")
        .bind(destination)
        .bind(&key)
        .bind(fallback)
        .execute(connection)
        .await?;
    Ok(Some(before))
}
