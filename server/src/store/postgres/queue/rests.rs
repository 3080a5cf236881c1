//! Server side. A message shows the rest that its lane or destination has: its own row does not say so.

use std::collections::{HashMap, HashSet};

use sqlx::PgPool;

use super::locks::{fallbacks, keys};
use crate::store::{
    StoreError,
    codec::queue::{longer_rest, queue},
    outbox::{Queue, StoredMessage},
};

/// What waits is told with the rest that it waits for: one query for all of them.
pub(in crate::store::postgres) async fn with_rests(
    pool: &PgPool,
    rows: &mut [StoredMessage],
) -> Result<(), StoreError> {
    let waiting: HashSet<Queue> = rows
        .iter()
        .filter(|row| row.state.is_waiting())
        .map(|row| Queue { lane: row.lane.clone(), fallback: row.fallback })
        .collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let queues: Vec<&Queue> = waiting.iter().collect();
    let found = sqlx::query(
        "SELECT lane.lane, lane.fallback, lane.rests_until AS own, lane.cause AS own_cause,
             destination.rests_until AS others, destination.cause AS others_cause
         FROM lane LEFT JOIN destination USING (destination)
         WHERE (lane.lane, lane.fallback) IN (SELECT * FROM unnest($1::text[], $2::boolean[]))",
    )
    .bind(keys(&queues))
    .bind(fallbacks(&queues))
    .fetch_all(pool)
    .await?;
    let rests: HashMap<Queue, _> =
        found.iter().map(|row| Ok((queue(row)?, longer_rest(row)?))).collect::<Result<_, StoreError>>()?;
    for row in rows {
        let queue = Queue { lane: row.lane.clone(), fallback: row.fallback };
        if let Some((until, why)) = rests.get(&queue).filter(|_| row.state.is_waiting()) {
            row.waits_for(*until, *why);
        }
    }
    Ok(())
}

/// What `wait_for_rest` reads, in a statement about messages.
pub(in crate::store::postgres) const REST: &str =
    "(SELECT json_build_array(lane.rests_until, lane.cause, destination.rests_until, destination.cause)::text
      FROM lane LEFT JOIN destination USING (destination)
      WHERE lane.lane = message.lane AND lane.fallback = message.fallback) AS rest";
