//! Server side. Lanes and destinations: what is due next, and back-off. The migration describes how their rows are
//! kept.
//!
//! A bound (`next_at`) is raised only under its row's lock, and by a later statement than the one that took the lock:
//! each statement sees what was committed before it began.

use std::collections::{BTreeSet, HashSet};

use app::{diagnosis::cause::Cause, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use uuid::Uuid;

use super::{PostgresStore, limit, set_aside::set_aside, transaction::transaction};
use crate::store::{
    LaneKey, QueueStore, StoreError,
    codec::{
        messages::{COLUMNS, WAITING, readable},
        quarantine,
        queue::{LANE, due_destination, queue},
    },
    outbox::{Assignment, Claim, Claimed, DueDestination, Queue, Rest, StoredMessage},
};

mod bounds;
mod claim;
mod leases;
mod locks;
mod rests;

use bounds::{keep_rest, move_lane, tighten};
use claim::claim_one;
pub(super) use leases::mark_commit;
pub(super) use locks::lock_messages;
use locks::{fallbacks, keys, lock_destinations, lock_lanes, make_destinations};
pub(super) use rests::{REST, with_rests};

#[async_trait]
impl QueueStore for PostgresStore {
    async fn due_destinations(
        &self,
        now: Timestamp,
        after: Option<&DueDestination>,
        most: u32,
    ) -> Result<Vec<DueDestination>, StoreError> {
        let rows = sqlx::query(
            "SELECT destination, due_at FROM destination
             WHERE due_at <= $1 AND due_at >= $2 AND (due_at, destination) > ($2, $3)
             ORDER BY due_at, destination LIMIT $4",
        )
        .bind(now.as_millisecond())
        .bind(after.map_or(i64::MIN, |after| after.due_at.as_millisecond()))
        .bind(after.map_or("", |after| after.destination.as_str()))
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(due_destination).collect()
    }

    async fn due_lanes(&self, destination: &str, now: Timestamp, most: u32) -> Result<Vec<Queue>, StoreError> {
        let rows = sqlx::query(
            "SELECT lane, fallback FROM lane WHERE destination = $1 AND due_at <= $2 ORDER BY due_at, lane LIMIT $3",
        )
        .bind(destination)
        .bind(now.as_millisecond())
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await?;
        if rows.is_empty() {
            // Its bound was too low: raised, so that it is not read again before something is due.
            transaction!(self, transaction, {
                lock_destinations(&mut transaction, &[destination.to_owned()]).await?;
                tighten(&mut transaction, &[destination.to_owned()]).await?;
                transaction.commit().await?;
                Ok(())
            })?;
        }
        let (queues, damaged) = quarantine::readable(LANE, &rows, queue)?;
        set_aside(&self.pool, &damaged).await?;
        Ok(queues)
    }

    async fn assign(&self, assignments: &[Assignment]) -> Result<(), StoreError> {
        let queues: Vec<&Queue> = assignments.iter().map(|assignment| &assignment.queue).collect();
        let destinations: Vec<String> =
            assignments.iter().map(|assignment| assignment.destination.clone()).chain([String::new()]).collect();
        transaction!(self, transaction, {
            lock_lanes(&mut transaction, &queues).await?;
            make_destinations(&mut transaction, &destinations).await?;
            lock_destinations(&mut transaction, &destinations).await?;
            sqlx::query(
                "UPDATE lane SET destination = given.destination
                 FROM unnest($1::text[], $2::boolean[], $3::text[]) AS given (lane, fallback, destination)
                 WHERE lane.lane = given.lane AND lane.fallback = given.fallback
                   AND lane.destination <> given.destination",
            )
            .bind(keys(&queues))
            .bind(fallbacks(&queues))
            .bind(&destinations[..assignments.len()])
            .execute(&mut *transaction)
            .await?;
            tighten(&mut transaction, &[String::new()]).await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError> {
        let queues: Vec<&Queue> = claims.iter().map(|claim| &claim.queue).collect();
        let through: Vec<String> = claims.iter().filter_map(|claim| claim.destination.clone()).collect();
        transaction!(self, transaction, {
            // Everything is locked before any decision, always in the same order.
            let mut behind = lock_lanes(&mut transaction, &queues).await?;
            make_destinations(&mut transaction, &through).await?;
            let destinations: BTreeSet<String> = through.iter().chain(behind.values()).cloned().collect();
            let destinations: Vec<String> = destinations.into_iter().collect();
            let mut rests = lock_destinations(&mut transaction, &destinations).await?;
            let mut claimed = Vec::with_capacity(claims.len());
            let mut changed: HashSet<String> = HashSet::new();
            for claim in claims {
                if let Some(destination) = &claim.destination
                    && let Some(before) = behind.get_mut(&claim.queue.key())
                    && before != destination
                {
                    move_lane(&mut transaction, &claim.queue, destination).await?;
                    changed.insert(std::mem::replace(before, destination.clone()));
                }
                changed.extend(claim.destination.clone());
                claimed.push(claim_one(&mut transaction, claim, &mut rests).await?);
            }
            tighten(&mut transaction, &changed.into_iter().collect::<Vec<_>>()).await?;
            transaction.commit().await?;
            Ok(claimed)
        })
    }

    async fn release(&self, lease_token: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError> {
        leases::release(self, lease_token, ids, next_at).await
    }

    async fn rest_lane(&self, queue: &Queue, until: Timestamp, why: Option<Cause>) -> Result<(), StoreError> {
        sqlx::query("UPDATE lane SET rests_until = $1, cause = $2 WHERE lane = $3 AND fallback = $4")
            .bind(until.as_millisecond())
            .bind(why.map(Cause::as_str))
            .bind(queue.lane.key())
            .bind(queue.fallback)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn rest_destination(
        &self,
        destination: &str,
        rule: &(dyn Fn(Rest) -> Rest + Send + Sync),
    ) -> Result<Rest, StoreError> {
        let names = [destination.to_owned()];
        transaction!(self, transaction, {
            make_destinations(&mut transaction, &names).await?;
            let before = lock_destinations(&mut transaction, &names).await?.remove(destination).unwrap_or_default();
            let after = rule(before);
            if after != before {
                keep_rest(&mut transaction, destination, &after, None).await?;
            }
            transaction.commit().await?;
            Ok(after)
        })
    }

    async fn ease(&self, destinations: &[String]) -> Result<(), StoreError> {
        transaction!(self, transaction, {
            lock_destinations(&mut transaction, destinations).await?;
            sqlx::query(
                "UPDATE destination SET rests_until = 0, troubles = 0, cause = NULL, probe = NULL
                 WHERE destination = ANY ($1) AND (rests_until > 0 OR troubles > 0)",
            )
            .bind(destinations)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    async fn realign(
        &self,
        now: Timestamp,
        latest: Timestamp,
        after: Option<LaneKey>,
        most: u32,
    ) -> Result<Option<LaneKey>, StoreError> {
        rests::realign(self, (now, latest), after, most).await
    }

    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError> {
        transaction!(self, transaction, {
            sqlx::query("SELECT 1 FROM lane WHERE portal = $1 AND account = $2 ORDER BY lane, fallback FOR UPDATE")
                .bind(&account.portal)
                .bind(&account.account)
                .execute(&mut *transaction)
                .await?;
            let woken = sqlx::query(
                "UPDATE lane SET destination = '', rests_until = 0, cause = NULL, wakings = wakings + 1, woken_at = $3,
                     next_at = CASE WHEN next_at > $3 THEN $3 ELSE next_at END
                 WHERE portal = $1 AND account = $2",
            )
            .bind(&account.portal)
            .bind(&account.account)
            .bind(now.as_millisecond())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(woken.rows_affected())
        })
    }

    async fn prolong(&self, lease_tokens: &[String], until: Timestamp) -> Result<u64, StoreError> {
        const LEASES: &str = "WITH held AS MATERIALIZED (SELECT id FROM message
                WHERE state = 'sending' AND lease_owner = ANY ($2) ORDER BY id FOR UPDATE)
            UPDATE message SET lease_until = $1 FROM held
            WHERE message.id = held.id AND message.state = 'sending' AND message.lease_owner = ANY ($2)";
        const PROBES: &str = "WITH probed AS MATERIALIZED (SELECT destination FROM destination
                WHERE probe = ANY ($2) ORDER BY destination FOR UPDATE)
            UPDATE destination SET rests_until = $1 FROM probed
            WHERE destination.destination = probed.destination AND destination.probe = ANY ($2)";
        transaction!(self, transaction, {
            let mut prolonged = Vec::with_capacity(2);
            for sql in [LEASES, PROBES] {
                let written =
                    sqlx::query(sql).bind(until.as_millisecond()).bind(lease_tokens).execute(&mut *transaction).await?;
                prolonged.push(written.rows_affected());
            }
            transaction.commit().await?;
            Ok(prolonged[0])
        })
    }

    async fn abandoned(&self, now: Timestamp, most: u32) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str =
            formatcp!("SELECT {COLUMNS} FROM message WHERE state = 'sending' AND lease_until <= $1 LIMIT $2");
        let rows = sqlx::query(SQL).bind(now.as_millisecond()).bind(limit(most)).fetch_all(&self.pool).await?;
        let (rows, damaged) = readable(&rows)?;
        set_aside(&self.pool, &damaged).await?;
        Ok(rows)
    }

    async fn overdue(&self, now: Timestamp, most: u32) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE {WAITING} AND expires_at <= $1 LIMIT $2");
        let rows = sqlx::query(SQL).bind(now.as_millisecond()).bind(limit(most)).fetch_all(&self.pool).await?;
        let (mut rows, damaged) = readable(&rows)?;
        set_aside(&self.pool, &damaged).await?;
        with_rests(&self.pool, &mut rows).await?;
        Ok(rows)
    }
}
