//! Server side. Retention and metrics.
//!
//! Rows are found by an index and deleted in small groups: a writer waits for one group at most. Old rows are scattered
//! over the file, so a group of them changes many pages; [`checkpoints`](super::checkpoints) moves those into the file.

use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::{Row, SqlitePool};

use super::{
    SqliteStore, drafts, journal, logins,
    rows::{encode, instant},
    sessions, sign_ins,
    transaction::begin,
};
use crate::store::{
    MaintenanceStore, StoreError, codec::messages::deleted_together, outbox::QueueMetrics, retention::Cutoffs,
};

#[async_trait]
impl MaintenanceStore for SqliteStore {
    async fn sweep(&self, now: Timestamp, sessions_before: Timestamp) -> Result<(), StoreError> {
        let cutoffs = Cutoffs::at(now, sessions_before);
        sessions::sweep(&self.writer, &cutoffs).await?;
        sign_ins::sweep(&self.writer, &cutoffs).await?;
        drafts::sweep(&self.writer, &cutoffs).await?;
        journal::sweep(&self.writer, &cutoffs).await?;
        logins::sweep(&self.writer, &cutoffs).await
    }

    async fn heartbeat(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        sqlx::query(
            // Different bytes each time: SQLite does not write a page that stays the same.
            "INSERT INTO heartbeat (id, at, ballast) VALUES (1, ?, randomblob(?))
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, ballast = excluded.ballast",
        )
        .bind(at.as_millisecond())
        .bind(HEARTBEAT_SIZE)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    async fn purge(
        &self,
        finished_before: Timestamp,
        content_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut gone = contents((&self.pool, &self.writer), content_before, limit).await?;
        for (sql, before) in [
            (
                "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE finished_at < ?1
                     AND finished_at IS NOT NULL ORDER BY finished_at LIMIT ?2)",
                finished_before,
            ),
            // Events of portals that have no webhook any more.
            ("DELETE FROM event WHERE id IN (SELECT id FROM event WHERE created_at < ?1 LIMIT ?2)", finished_before),
            (
                "DELETE FROM lane WHERE (lane, fallback) IN
                     (SELECT lane, fallback FROM lane WHERE next_at IS NULL AND rests_until < ?1 LIMIT ?2)",
                content_before,
            ),
            (
                "DELETE FROM destination WHERE destination IN
                     (SELECT destination FROM destination WHERE next_at IS NULL AND rests_until < ?1 LIMIT ?2)",
                content_before,
            ),
        ] {
            gone +=
                sqlx::query(sql).bind(before.as_millisecond()).bind(limit).execute(&self.writer).await?.rows_affected();
        }
        // Quarantine entries whose rows are gone. (Deleting a message deletes its entry.)
        sqlx::query(
            "DELETE FROM quarantine
             WHERE (kind = 'event' AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = quarantine.row))
                OR (kind = 'lane' AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.lane = quarantine.row))
                OR (kind = 'profile' AND NOT EXISTS (SELECT 1 FROM profile WHERE profile.id = quarantine.row))
                OR (kind = 'oauth_grant'
                    AND NOT EXISTS (SELECT 1 FROM oauth_grant WHERE oauth_grant.id = quarantine.row))",
        )
        .execute(&self.writer)
        .await?;
        Ok(gone)
    }

    async fn queue_metrics(&self, now: Timestamp) -> Result<QueueMetrics, StoreError> {
        let row = sqlx::query(formatcp!(
            "SELECT (SELECT amount FROM tally WHERE kind = 'queued') AS queued,
                    (SELECT amount FROM tally WHERE kind = 'deferred') AS deferred,
                    (SELECT amount FROM tally WHERE kind = 'sending') AS sending,
                    (SELECT amount FROM tally WHERE kind = 'event') AS events,
                    (SELECT count(*) FROM destination WHERE rests_until > ?1 AND rests_until > 0) AS resting,
                    (SELECT count(*) FROM quarantine) AS quarantined,
                    (SELECT min(created_at) FROM message WHERE state IN ('queued', 'deferred')) AS oldest,
                    ({HELD_BY_DESTINATIONS}) + ({HELD_BY_LANES}) AS held",
        ))
        .bind(now.as_millisecond())
        .fetch_one(&self.pool)
        .await?;
        let count = |column| -> Result<u64, StoreError> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
        };
        Ok(QueueMetrics {
            queued: count("queued")?,
            deferred: count("deferred")?,
            sending: count("sending")?,
            events: count("events")?,
            resting: count("resting")?,
            held: count("held")?,
            quarantined: count("quarantined")?,
            oldest: row.try_get::<Option<i64>, _>("oldest")?.map(instant),
        })
    }
}

/// Queued messages whose destination is in back-off, by the counts of their lanes.
pub(super) const HELD_BY_DESTINATIONS: &str = "SELECT coalesce(sum(lane.queued), 0)
    FROM destination CROSS JOIN lane ON lane.destination = destination.destination AND lane.due_at IS NOT NULL
    WHERE destination.rests_until > ?1 AND destination.rests_until > 0";
/// Those whose lane has a back-off of its own, and whose destination has none.
pub(super) const HELD_BY_LANES: &str = "SELECT coalesce(sum(lane.queued), 0)
    FROM lane LEFT JOIN destination ON destination.destination = lane.destination
    WHERE lane.rests_until > ?1 AND lane.rests_until > 0 AND ifnull(destination.rests_until, 0) <= ?1";

/// Bytes of a heartbeat, as many as a usual message has: a nearly full disk may have room for a byte, but not for a
/// message.
const HEARTBEAT_SIZE: i64 = 128 * 1024;
/// Most bytes of contents overwritten with one statement, unless one content is larger.
const MOST_BYTES: i64 = 256 * 1024;

/// Deletes texts and files that are no longer needed.
async fn contents(
    (pool, writer): (&SqlitePool, &SqlitePool),
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "SELECT id, size FROM message WHERE finished_at < ? AND finished_at IS NOT NULL AND has_content = 1
         ORDER BY finished_at LIMIT ?",
    )
    .bind(before.as_millisecond())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let ids = deleted_together(&rows, MOST_BYTES)?;
    if ids.is_empty() {
        return Ok(0);
    }
    // The message may have been resent meanwhile.
    let gone = sqlx::query(
        "DELETE FROM content WHERE message IN (
             SELECT id FROM message WHERE id IN (SELECT value FROM json_each(?)) AND finished_at IS NOT NULL)",
    )
    .bind(encode("content", "message", &ids)?)
    .execute(writer)
    .await?;
    Ok(gone.rows_affected())
}
