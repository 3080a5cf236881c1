//! Server side. The bounds of lanes and destinations: when something is due there, and their back-off.

use app::diagnosis::cause::Cause;
use const_format::formatcp;
use sqlx::PgConnection;

use crate::store::{
    StoreError,
    codec::messages::WAITING,
    outbox::{Queue, Rest},
};

/// When a lane is next due; woken messages are due at `$1`.
pub(super) const NEXT_AT: &str = formatcp!(
    "CASE WHEN EXISTS (SELECT 1 FROM message WHERE {WAITING} AND message.lane = lane.lane
                           AND message.fallback = lane.fallback AND message.wakings < lane.wakings) THEN $1
     ELSE (SELECT CASE WHEN min(message.next_at) < $1 THEN $1 ELSE min(message.next_at) END FROM message
           WHERE {WAITING} AND message.lane = lane.lane AND message.fallback = lane.fallback
             AND message.wakings = lane.wakings) END"
);

/// Raises the bounds of locked destinations to their first due lane.
pub(super) async fn tighten(connection: &mut PgConnection, names: &[String]) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE destination SET next_at = first.due_at
         FROM (SELECT name, (SELECT min(lane.due_at) FROM lane
                             WHERE lane.destination = given.name AND lane.due_at IS NOT NULL) AS due_at
               FROM unnest($1::text[]) AS given (name)) AS first
         WHERE destination.destination = first.name AND destination.next_at IS DISTINCT FROM first.due_at",
    )
    .bind(names)
    .execute(connection)
    .await?;
    Ok(())
}

/// `probe`: the lease whose end also ends the back-off.
pub(super) async fn keep_rest(
    connection: &mut PgConnection,
    destination: &str,
    rest: &Rest,
    probe: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO destination (destination, rests_until, troubles, cause, probe) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (destination) DO UPDATE SET rests_until = excluded.rests_until, troubles = excluded.troubles,
             cause = excluded.cause, probe = excluded.probe",
    )
    .bind(destination)
    .bind(rest.until.as_millisecond())
    .bind(i64::from(rest.troubles))
    .bind(rest.cause.map(Cause::as_str))
    .bind(probe)
    .execute(connection)
    .await?;
    Ok(())
}

/// Assigns a lane to a destination.
pub(super) async fn move_lane(
    connection: &mut PgConnection,
    Queue { lane, fallback }: &Queue,
    destination: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE lane SET destination = $1 WHERE lane = $2 AND fallback = $3")
        .bind(destination)
        .bind(lane.key())
        .bind(fallback)
        .execute(connection)
        .await?;
    Ok(())
}
