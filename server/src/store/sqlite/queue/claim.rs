//! Server side. Claims: one lane, with its destination, at a time. A batch of them is one transaction, but not one statement:
//! each takes its own number of messages from its own lane by an index, and what a destination lets through depends on
//! the claim before.

use const_format::{formatcp, str_replace};
use sqlx::SqliteConnection;

use super::{
    super::{
        messages::{COLUMNS, WAITING, readable},
        quarantine::set_aside_on,
    },
    bounds::{NEXT_AT, TIGHTEN, keep_rest, move_lane, rest_of, tighten},
};
use crate::store::{
    StoreError,
    outbox::{Claim, Claimed, Passage, Rest},
};

pub(in crate::store::sqlite) async fn claim_one(
    connection: &mut SqliteConnection,
    claim: &Claim,
) -> Result<Claimed, StoreError> {
    const TAKE: &str = formatcp!(
        "UPDATE message SET state = 'sending', lease_owner = ?1, lease_until = ?2, ending_at = NULL, ending_to = NULL,
             updated_at = ?3
         WHERE id IN (
             SELECT id FROM (SELECT id FROM message WHERE {WAITING} AND lane = ?4 AND fallback = ?5
                 AND wakings < (SELECT wakings FROM lane WHERE lane = ?4 AND fallback = ?5)
                 ORDER BY wakings, next_at, id LIMIT ?6)
             UNION ALL
             SELECT id FROM (SELECT id FROM message WHERE {WAITING} AND lane = ?4 AND fallback = ?5
                 AND wakings = (SELECT wakings FROM lane WHERE lane = ?4 AND fallback = ?5) AND next_at <= ?3
                 ORDER BY next_at, id LIMIT ?6)
             LIMIT ?6)
         RETURNING {COLUMNS}"
    );
    // What is left has its turn after those that are due by now.
    const TURN: &str = formatcp!("UPDATE lane SET next_at = {NEXT_AT} WHERE lane = ?2 AND fallback = ?3; {TIGHTEN_IT}");
    const TIGHTEN_IT: &str = str_replace!(TIGHTEN, "?1", "?4");
    let Claim { queue, destination, lease_token, now, until, limit } = claim;
    let (key, destination) = (queue.lane.key(), destination.as_deref());
    let rest = match destination {
        Some(destination) => rest_of(&mut *connection, destination).await?,
        None => Rest::default(),
    };
    let passage = rest.passage(*now);
    if let Some(destination) = destination
        && let Some(before) = move_lane(&mut *connection, queue, destination).await?
    {
        tighten(&mut *connection, &before).await?;
    }
    let limit = passage.most(*limit);
    if limit == 0 {
        return Ok(Claimed { messages: Vec::new(), passage, rest });
    }
    let rows = sqlx::query(TAKE)
        .bind(lease_token)
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(&key)
        .bind(queue.fallback)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    let turn = sqlx::query(TURN).bind(now.as_millisecond()).bind(&key).bind(queue.fallback).bind(destination);
    turn.execute(&mut *connection).await?;
    if let Some(destination) = destination
        && passage == Passage::Probe
        && !rows.is_empty()
    {
        keep_rest(&mut *connection, destination, &rest.probing(*until), Some(lease_token)).await?;
    }
    let (mut messages, damaged) = readable(&rows)?;
    set_aside_on(connection, &damaged).await?;
    messages.sort_by_key(|message| (message.next_at, message.id));
    Ok(Claimed { messages, passage, rest })
}
