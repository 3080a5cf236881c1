//! Server side. A message shows the back-off of its lane or destination: its own row does not have it.

use std::collections::HashMap;

use app::diagnosis::cause::Cause;
use jiff::Timestamp;
use sqlx::SqlitePool;

use crate::store::{StoreError, codec::queue::longer_rest, outbox::StoredMessage};

/// Adds to waiting messages the back-off they wait for.
pub(in crate::store::sqlite) async fn with_rests(
    pool: &SqlitePool,
    rows: &mut [StoredMessage],
) -> Result<(), StoreError> {
    let mut rests: HashMap<(String, bool), (Timestamp, Option<Cause>)> = HashMap::new();
    for row in rows {
        if !row.state.is_waiting() {
            continue;
        }
        let key = (row.lane.key(), row.fallback);
        let (until, why) = if let Some(known) = rests.get(&key) {
            *known
        } else {
            let rest = rest_for(pool, &key).await?;
            rests.insert(key, rest);
            rest
        };
        row.waits_for(until, why);
    }
    Ok(())
}

/// The column that `wait_for_rest` reads, for a query of messages.
pub(in crate::store::sqlite) const REST: &str =
    "(SELECT json_array(lane.rests_until, lane.cause, destination.rests_until, destination.cause)
      FROM lane LEFT JOIN destination USING (destination)
      WHERE lane.lane = message.lane AND lane.fallback = message.fallback) AS rest";

/// The back-off of a lane or its destination, and its cause.
async fn rest_for(
    pool: &SqlitePool,
    (lane, fallback): &(String, bool),
) -> Result<(Timestamp, Option<Cause>), StoreError> {
    let found = sqlx::query(
        "SELECT lane.rests_until AS own, lane.cause AS own_cause, destination.rests_until AS others,
             destination.cause AS others_cause
         FROM lane LEFT JOIN destination USING (destination) WHERE lane = ? AND fallback = ?",
    )
    .bind(lane)
    .bind(fallback)
    .fetch_optional(pool)
    .await?;
    found.map_or_else(|| Ok((Timestamp::UNIX_EPOCH, None)), |found| longer_rest(&found))
}
