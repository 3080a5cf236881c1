//! Server side. A message shows the back-off of its lane or destination: its own row does not have it.

use std::collections::{HashMap, HashSet};

use const_format::formatcp;
use jiff::Timestamp;
use sqlx::PgPool;

use super::{
    super::{PostgresStore, limit, transaction::transaction},
    bounds::NEXT_AT,
    locks::{fallbacks, keys},
};
use crate::store::{
    LaneKey, StoreError,
    codec::queue::{longer_rest, queue},
    outbox::{Queue, StoredMessage},
};

/// Adds to waiting messages the back-off they wait for, with one query.
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

/// The column that `wait_for_rest` reads, for a query of messages.
pub(in crate::store::postgres) const REST: &str =
    "(SELECT json_build_array(lane.rests_until, lane.cause, destination.rests_until, destination.cause)::text
      FROM lane LEFT JOIN destination USING (destination)
      WHERE lane.lane = message.lane AND lane.fallback = message.fallback) AS rest";

/// Computes due times again, and lets no back-off end after `latest`: a few lanes at a time, locked in the usual order.
pub(super) async fn realign(
    store: &PostgresStore,
    (now, latest): (Timestamp, Timestamp),
    after: Option<LaneKey>,
    most: u32,
) -> Result<Option<LaneKey>, StoreError> {
    const LANES: &str = formatcp!(
        "UPDATE lane SET rests_until = least(rests_until, $2), next_at = {NEXT_AT}
         WHERE (lane, fallback) > ($3, $4) AND (lane, fallback) <= ($5, $6) AND due_at > $1"
    );
    let is_first = after.is_none();
    let (lane, fallback) = after.unwrap_or_default();
    transaction!(store, transaction, {
        let keys: Vec<LaneKey> = sqlx::query_as(
            "SELECT lane, fallback FROM lane WHERE (lane, fallback) > ($1, $2) ORDER BY lane, fallback LIMIT $3 FOR UPDATE",
        )
        .bind(&lane)
        .bind(fallback)
        .bind(limit(most))
        .fetch_all(&mut *transaction)
        .await?;
        if let Some((last, last_fallback)) = keys.last() {
            let moved = sqlx::query(LANES).bind(now.as_millisecond()).bind(latest.as_millisecond());
            let moved = moved.bind(&lane).bind(fallback).bind(last).bind(last_fallback);
            moved.execute(&mut *transaction).await?;
        }
        if is_first {
            sqlx::query(
                "UPDATE destination SET rests_until = least(rests_until, $2) WHERE due_at > $1 AND rests_until > $2",
            )
            .bind(now.as_millisecond())
            .bind(latest.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(keys.last().filter(|_| i64::try_from(keys.len()).is_ok_and(|count| count >= limit(most))).cloned())
    })
}
