//! Server side. Lanes and destinations: what is due next, and what rests. The migration says how their rows are kept.

use std::collections::HashMap;

use app::{diagnosis::cause::Cause, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    SqliteStore,
    messages::{COLUMNS, WAITING, readable},
    profiles::begin,
    quarantine::{self, set_aside, set_aside_on},
    rows::instant,
};
use crate::store::{
    QueueStore, StoreError,
    outbox::{Claim, Claimed, CommitMark, DueDestination, Lane, MessageState, Passage, Queue, Rest, StoredMessage},
};

#[async_trait]
impl QueueStore for SqliteStore {
    async fn due_destinations(
        &self,
        now: Timestamp,
        after: Option<&DueDestination>,
        limit: u32,
    ) -> Result<Vec<DueDestination>, StoreError> {
        let rows = sqlx::query(
            "SELECT destination, due_at FROM destination
             WHERE due_at <= ?1 AND due_at >= ?2 AND (due_at, destination) > (?2, ?3) ORDER BY due_at, destination LIMIT ?4",
        )
        .bind(now.as_millisecond())
        .bind(after.map_or(i64::MIN, |after| after.due_at.as_millisecond()))
        .bind(after.map_or("", |after| after.destination.as_str()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DueDestination { destination: row.try_get("destination")?, due_at: instant(row.try_get("due_at")?) })
            })
            .collect()
    }

    async fn due_lanes(&self, destination: &str, now: Timestamp, limit: u32) -> Result<Vec<Queue>, StoreError> {
        let rows = sqlx::query(
            "SELECT lane, fallback FROM lane WHERE destination = ? AND due_at <= ? ORDER BY due_at, lane LIMIT ?",
        )
        .bind(destination)
        .bind(now.as_millisecond())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        if rows.is_empty() {
            // Its bound was too low: it is not looked at again before something is due.
            let mut transaction = begin(&self.writer).await?;
            tighten(&mut transaction, destination).await?;
            transaction.commit().await?;
        }
        let (queues, damaged) = quarantine::readable(("lane", "lane"), &rows, queue)?;
        set_aside(&self.writer, &damaged).await?;
        Ok(queues)
    }

    async fn assign(&self, lanes: &[(Queue, String)]) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        for (queue, destination) in lanes {
            move_lane(&mut transaction, queue, destination).await?;
        }
        tighten(&mut transaction, "").await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut claimed = Vec::with_capacity(claims.len());
        for claim in claims {
            claimed.push(claim_one(&mut transaction, claim).await?);
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    async fn mark_commit(&self, marks: &[CommitMark], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut marked = Vec::with_capacity(marks.len());
        for CommitMark { id, lease_token, to } in marks {
            let to = to
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(|_| wrong("message", "ending_to", &id.to_string()))?;
            let updated = sqlx::query(
                "UPDATE message SET ending_at = ?1, ending_to = ?4
                 WHERE id = ?2 AND state = 'sending' AND lease_owner = ?3 AND lease_until > ?1",
            )
            .bind(now.as_millisecond())
            .bind(id.to_string())
            .bind(lease_token)
            .bind(to)
            .execute(&mut *transaction)
            .await?;
            marked.push(updated.rows_affected() == 1);
        }
        transaction.commit().await?;
        Ok(marked)
    }

    async fn release(&self, lease_token: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        for id in ids {
            sqlx::query(
                // What has a cause was tried, or held.
                "UPDATE message SET state = iif(cause IS NULL, 'queued', 'deferred'), next_at = ?, lease_owner = NULL,
                     lease_until = NULL, ending_at = NULL, ending_to = NULL,
                     wakings = ifnull((SELECT lane.wakings FROM lane
                         WHERE lane.lane = message.lane AND lane.fallback = message.fallback), 0)
                 WHERE id = ? AND state = 'sending' AND lease_owner = ?",
            )
            .bind(next_at.as_millisecond())
            .bind(id.to_string())
            .bind(lease_token)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn rest_lane(&self, queue: &Queue, until: Timestamp, why: Option<Cause>) -> Result<(), StoreError> {
        sqlx::query("UPDATE lane SET rests_until = ?, cause = ? WHERE lane = ? AND fallback = ?")
            .bind(until.as_millisecond())
            .bind(why.map(Cause::as_str))
            .bind(queue.lane.key())
            .bind(queue.fallback)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn rest_destination(
        &self,
        destination: &str,
        rule: &(dyn Fn(Rest) -> Rest + Send + Sync),
    ) -> Result<Rest, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let before = rest_of(&mut transaction, destination).await?;
        let after = rule(before);
        if after != before {
            keep_rest(&mut transaction, destination, &after, None).await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    async fn ease(&self, destinations: &[String]) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE destination SET rests_until = 0, troubles = 0, cause = NULL, probe = NULL
             WHERE destination IN (SELECT value FROM json_each(?)) AND (rests_until > 0 OR troubles > 0)",
        )
        .bind(serde_json::to_string(destinations).unwrap_or_default())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn realign(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError> {
        const LANES: &str =
            formatcp!("UPDATE lane SET rests_until = min(rests_until, ?2), next_at = {NEXT_AT} WHERE due_at > ?1");
        let mut transaction = begin(&self.writer).await?;
        sqlx::query(LANES).bind(now.as_millisecond()).bind(latest.as_millisecond()).execute(&mut *transaction).await?;
        sqlx::query("UPDATE destination SET rests_until = min(rests_until, ?2) WHERE due_at > ?1 AND rests_until > ?2")
            .bind(now.as_millisecond())
            .bind(latest.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError> {
        let woken = sqlx::query(
            "UPDATE lane SET destination = '', rests_until = 0, cause = NULL, wakings = wakings + 1, woken_at = ?3,
                 next_at = min(next_at, ?3)
             WHERE portal = ?1 AND account = ?2",
        );
        let woken = woken.bind(&account.portal).bind(&account.account).bind(now.as_millisecond());
        Ok(woken.execute(&self.writer).await?.rows_affected())
    }

    async fn prolong(&self, lease_tokens: &[String], until: Timestamp) -> Result<u64, StoreError> {
        const LEASES: &str = "UPDATE message SET lease_until = ?
            WHERE state = 'sending' AND lease_owner IN (SELECT value FROM json_each(?))";
        const PROBES: &str = "UPDATE destination SET rests_until = ? WHERE probe IN (SELECT value FROM json_each(?))";
        let lease_tokens = serde_json::to_string(lease_tokens).unwrap_or_default();
        let mut transaction = begin(&self.writer).await?;
        let mut prolonged = Vec::with_capacity(2);
        for sql in [LEASES, PROBES] {
            let written =
                sqlx::query(sql).bind(until.as_millisecond()).bind(&lease_tokens).execute(&mut *transaction).await?;
            prolonged.push(written.rows_affected());
        }
        transaction.commit().await?;
        Ok(prolonged[0])
    }

    async fn abandoned(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str =
            formatcp!("SELECT {COLUMNS} FROM message WHERE state = 'sending' AND lease_until <= ? LIMIT ?");
        let rows = sqlx::query(SQL).bind(now.as_millisecond()).bind(limit).fetch_all(&self.pool).await?;
        let (rows, damaged) = readable(&rows)?;
        set_aside(&self.writer, &damaged).await?;
        Ok(rows)
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE {WAITING} AND expires_at <= ? LIMIT ?");
        let rows = sqlx::query(SQL).bind(now.as_millisecond()).bind(limit).fetch_all(&self.pool).await?;
        let (mut rows, damaged) = readable(&rows)?;
        set_aside(&self.writer, &damaged).await?;
        with_rests(&self.pool, &mut rows).await?;
        Ok(rows)
    }
}

/// The instant when something of a lane is due: `?1`, and not before, for what was woken.
const NEXT_AT: &str = formatcp!(
    "CASE WHEN EXISTS (SELECT 1 FROM message WHERE {WAITING} AND message.lane = lane.lane
                           AND message.fallback = lane.fallback AND message.wakings < lane.wakings) THEN ?1
     ELSE (SELECT max(min(next_at), ?1) FROM message WHERE {WAITING} AND message.lane = lane.lane
               AND message.fallback = lane.fallback AND message.wakings = lane.wakings) END"
);

fn wrong(table: &'static str, column: &'static str, row: &str) -> StoreError {
    StoreError::Inconsistent { table, column, row: row.to_owned() }
}

fn cause(code: Option<String>) -> Option<Cause> {
    code.map(|code| Cause::from_code(&code).unwrap_or(Cause::Unknown))
}

fn queue(row: &SqliteRow) -> Result<Queue, StoreError> {
    let key: String = row.try_get("lane")?;
    let lane = Lane::parse(&key).ok_or_else(|| wrong("lane", "lane", &key))?;
    Ok(Queue { lane, fallback: row.try_get::<i64, _>("fallback")? == 1 })
}

/// Raises the bound of a destination to what is due first there.
async fn tighten(connection: &mut SqliteConnection, destination: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE destination SET next_at = (SELECT min(due_at) FROM lane WHERE destination = ?1 AND due_at IS NOT NULL)
         WHERE destination = ?1
           AND next_at IS NOT (SELECT min(due_at) FROM lane WHERE destination = ?1 AND due_at IS NOT NULL)",
    )
    .bind(destination)
    .execute(connection)
    .await?;
    Ok(())
}

async fn rest_of(connection: &mut SqliteConnection, destination: &str) -> Result<Rest, StoreError> {
    let row = sqlx::query("SELECT rests_until, troubles, cause FROM destination WHERE destination = ?")
        .bind(destination)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Rest::default()) };
    Ok(Rest {
        until: instant(row.try_get("rests_until")?),
        troubles: u32::try_from(row.try_get::<i64, _>("troubles")?).unwrap_or(u32::MAX),
        cause: cause(row.try_get("cause")?),
    })
}

/// `probe`: the lease that the rest ends with.
async fn keep_rest(
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

/// Puts a lane behind a destination; the one it was behind, when that was another.
async fn move_lane(
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

async fn claim_one(connection: &mut SqliteConnection, claim: &Claim) -> Result<Claimed, StoreError> {
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
    const TURN: &str = formatcp!("UPDATE lane SET next_at = {NEXT_AT} WHERE lane = ?2 AND fallback = ?3");
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
    let limit = match passage {
        Passage::Free => *limit,
        Passage::Probe => 1,
        Passage::Closed => return Ok(Claimed { messages: Vec::new(), passage, rest }),
    };
    let rows = sqlx::query(TAKE)
        .bind(lease_token)
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(&key)
        .bind(queue.fallback)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query(TURN).bind(now.as_millisecond()).bind(&key).bind(queue.fallback).execute(&mut *connection).await?;
    if let Some(destination) = destination {
        tighten(&mut *connection, destination).await?;
        if passage == Passage::Probe && !rows.is_empty() {
            keep_rest(&mut *connection, destination, &rest.probing(*until), Some(lease_token)).await?;
        }
    }
    let (mut messages, damaged) = readable(&rows)?;
    set_aside_on(connection, &damaged).await?;
    messages.sort_by_key(|message| (message.next_at, message.id));
    Ok(Claimed { messages, passage, rest })
}

/// What waits is told with the rest that it waits for.
pub(super) async fn with_rests(pool: &SqlitePool, rows: &mut [StoredMessage]) -> Result<(), StoreError> {
    let mut rests: HashMap<(String, bool), (Timestamp, Option<Cause>)> = HashMap::new();
    for row in rows {
        if !matches!(row.state, MessageState::Queued | MessageState::Deferred) {
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

/// What [`wait_for_rest`] reads, in a statement about messages.
pub(super) const REST: &str =
    "(SELECT json_array(lane.rests_until, lane.cause, destination.rests_until, destination.cause)
      FROM lane LEFT JOIN destination USING (destination)
      WHERE lane.lane = message.lane AND lane.fallback = message.fallback) AS rest";

/// The same for one message, from the row that it came in.
pub(super) fn wait_for_rest(row: &SqliteRow, message: &mut StoredMessage) -> Result<(), StoreError> {
    let rest: Option<String> = row.try_get("rest")?;
    if !matches!(message.state, MessageState::Queued | MessageState::Deferred) {
        return Ok(());
    }
    let Some(rest) = rest else { return Ok(()) };
    let (own, own_cause, others, others_cause): (i64, Option<String>, Option<i64>, Option<String>) =
        serde_json::from_str(&rest).map_err(|_| wrong("lane", "rests_until", &message.lane.key()))?;
    let others = others.unwrap_or_default();
    message.waits_for(instant(own.max(others)), cause(if own >= others { own_cause } else { others_cause }));
    Ok(())
}

/// Until when a lane, or its destination, rests, and why.
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
    let Some(found) = found else { return Ok((Timestamp::UNIX_EPOCH, None)) };
    let own: i64 = found.try_get("own")?;
    let others: i64 = found.try_get::<Option<i64>, _>("others")?.unwrap_or_default();
    let column = if own >= others { "own_cause" } else { "others_cause" };
    Ok((instant(own.max(others)), cause(found.try_get(column)?)))
}
