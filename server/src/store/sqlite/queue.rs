//! Server side. Lanes and destinations: what is due next, and back-off. The migration describes how their rows are
//! kept.

use app::{diagnosis::cause::Cause, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use uuid::Uuid;

use super::{SqliteStore, rows::encode, set_aside::set_aside, transaction::begin};
use crate::store::{
    LaneKey, QueueStore, StoreError,
    codec::{
        messages::{COLUMNS, WAITING, readable},
        quarantine,
        queue::{LANE, due_destination, queue},
        settlements::released,
    },
    one_writer::{Batch, OneWriter},
    outbox::{Assignment, Claim, Claimed, DueDestination, Queue, Rest, StoredMessage},
};

mod bounds;
mod claim;
mod marks;
mod rests;

use bounds::{NEXT_AT, keep_rest, rest_of, tighten};
pub(super) use claim::claim;
pub(super) use marks::mark_commit;
pub(super) use rests::{REST, with_rests};

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
        rows.iter().map(due_destination).collect()
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
            // Its bound was too low: raised, so that it is not read again before something is due.
            let mut transaction = begin(&self.writer).await?;
            tighten(&mut transaction, destination).await?;
            transaction.commit().await?;
        }
        let (queues, damaged) = quarantine::readable(LANE, &rows, queue)?;
        set_aside(&self.writer, &damaged).await?;
        Ok(queues)
    }

    async fn assign(&self, assignments: &[Assignment]) -> Result<(), StoreError> {
        let rows: Vec<_> = assignments
            .iter()
            .map(|Assignment { queue, destination }| (queue.lane.key(), i32::from(queue.fallback), destination))
            .collect();
        let mut transaction = begin(&self.writer).await?;
        sqlx::query(
            "UPDATE lane SET destination = given.value ->> 2 FROM json_each(?) AS given
             WHERE lane.lane = given.value ->> 0 AND lane.fallback = given.value ->> 1
               AND lane.destination <> given.value ->> 2",
        )
        .bind(encode("lane", "destination", &rows)?)
        .execute(&mut *transaction)
        .await?;
        tighten(&mut transaction, "").await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError> {
        let batch = Batch { claims: claims.iter().collect(), ..Batch::default() };
        Ok(self.write(&batch).await?.claimed)
    }

    async fn release(&self, lease_token: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError> {
        let ids = ids.iter().filter(|id| !self.outcomes.contains(**id));
        let ids: Vec<String> = ids.map(Uuid::to_string).collect();
        let mut transaction = begin(&self.writer).await?;
        let rows = sqlx::query(
            "SELECT id, state, cause, lease_owner, lease_until FROM message
             WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(encode("message", "id", &ids)?)
        .fetch_all(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE message SET state = one.value ->> 'state', next_at = ?, lease_owner = NULL, lease_until = NULL,
                 ending_at = NULL, ending_to = NULL,
                 wakings = ifnull((SELECT lane.wakings FROM lane
                     WHERE lane.lane = message.lane AND lane.fallback = message.fallback), 0)
             FROM json_each(?) AS one WHERE message.id = one.value ->> 'id'",
        )
        .bind(next_at.as_millisecond())
        .bind(encode("message", "state", &released(&rows, lease_token)?)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
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
        .bind(encode("destination", "destination", destinations)?)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn realign(
        &self,
        now: Timestamp,
        latest: Timestamp,
        after: Option<LaneKey>,
        limit: u32,
    ) -> Result<Option<LaneKey>, StoreError> {
        const LANES: &str = formatcp!(
            "UPDATE lane SET rests_until = min(rests_until, ?2), next_at = {NEXT_AT}
             WHERE (lane, fallback) > (?3, ?4) AND (lane, fallback) <= (?5, ?6) AND due_at > ?1"
        );
        let mut transaction = begin(&self.writer).await?;
        if after.is_none() {
            sqlx::query(
                "UPDATE destination SET rests_until = min(rests_until, ?2) WHERE due_at > ?1 AND rests_until > ?2",
            )
            .bind(now.as_millisecond())
            .bind(latest.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        }
        let (lane, fallback) = after.unwrap_or_default();
        let keys: Vec<LaneKey> = sqlx::query_as(
            "SELECT lane, fallback FROM lane WHERE (lane, fallback) > (?, ?) ORDER BY lane, fallback LIMIT ?",
        )
        .bind(&lane)
        .bind(fallback)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
        if let Some((last, last_fallback)) = keys.last() {
            let moved = sqlx::query(LANES).bind(now.as_millisecond()).bind(latest.as_millisecond());
            let moved = moved.bind(lane).bind(fallback).bind(last).bind(last_fallback);
            moved.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(keys.last().filter(|_| keys.len() >= limit as usize).cloned())
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
        let lease_tokens = encode("message", "lease_owner", lease_tokens)?;
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
