//! Server side. Claims: one lane at a time, after a batch has locked everything it needs.

use std::collections::HashMap;

use const_format::formatcp;
use sqlx::PgConnection;

use super::{
    super::{limit, set_aside::set_aside_on},
    bounds::{NEXT_AT, keep_rest},
};
use crate::store::{
    StoreError,
    codec::messages::{COLUMNS, WAITING, readable},
    outbox::{Claim, Claimed, Passage, Rest},
};

/// Claims messages of a lane. The lane is locked, and so are the destinations in `rests`.
pub(super) async fn claim_one(
    connection: &mut PgConnection,
    claim: &Claim,
    rests: &mut HashMap<String, Rest>,
) -> Result<Claimed, StoreError> {
    const TAKE: &str = formatcp!(
        "WITH taken AS MATERIALIZED (
             SELECT taken_id FROM (SELECT id AS taken_id FROM message WHERE {WAITING} AND lane = $4 AND fallback = $5
                 AND wakings < (SELECT wakings FROM lane WHERE lane = $4 AND fallback = $5)
                 ORDER BY wakings, next_at, id LIMIT $6 FOR UPDATE SKIP LOCKED) AS woken
             UNION ALL
             SELECT taken_id FROM (SELECT id AS taken_id FROM message WHERE {WAITING} AND lane = $4 AND fallback = $5
                 AND wakings = (SELECT wakings FROM lane WHERE lane = $4 AND fallback = $5) AND next_at <= $3
                 ORDER BY next_at, id LIMIT $6 FOR UPDATE SKIP LOCKED) AS due
             LIMIT $6)
         UPDATE message SET state = 'sending', lease_owner = $1, lease_until = $2, ending_at = NULL, ending_to = NULL,
             updated_at = $3
         FROM taken WHERE message.id = taken.taken_id
         RETURNING {COLUMNS}"
    );
    // The rest of the lane comes after the lanes that are due by now.
    const TURN: &str = formatcp!("UPDATE lane SET next_at = {NEXT_AT} WHERE lane = $2 AND fallback = $3");
    let Claim { queue, destination, lease_token, now, until, limit: most } = claim;
    let key = queue.lane.key();
    let rest = destination.as_ref().and_then(|name| rests.get(name)).copied().unwrap_or_default();
    let passage = rest.passage(*now);
    let most = passage.most(*most);
    if most == 0 {
        return Ok(Claimed { messages: Vec::new(), passage, rest });
    }
    let rows = sqlx::query(TAKE)
        .bind(lease_token)
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(&key)
        .bind(queue.fallback)
        .bind(limit(most))
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query(TURN).bind(now.as_millisecond()).bind(&key).bind(queue.fallback).execute(&mut *connection).await?;
    if let Some(destination) = destination
        && passage == Passage::Probe
        && !rows.is_empty()
    {
        let probing = rest.probing(*until);
        keep_rest(&mut *connection, destination, &probing, Some(lease_token)).await?;
        rests.insert(destination.clone(), probing);
    }
    let (mut messages, damaged) = readable(&rows)?;
    set_aside_on(connection, &damaged).await?;
    messages.sort_by_key(|message| (message.next_at, message.id));
    Ok(Claimed { messages, passage, rest })
}
