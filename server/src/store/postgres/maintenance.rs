//! Server side. Retention and metrics. Rows are found by an index, and deleted in small groups; rows that another
//! transaction has locked are left for the next time. (`= ANY (ARRAY …)` keeps PostgreSQL from reading the whole table:
//! it does not know how small a group is.)

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;

use super::{PostgresStore, drafts, journal, limit, logins, sessions, sign_ins};
use crate::store::{
    MaintenanceStore, StoreError,
    codec::{Columns, instant, messages::deleted_together},
    outbox::QueueMetrics,
    retention::Cutoffs,
};

#[async_trait]
impl MaintenanceStore for PostgresStore {
    async fn sweep(&self, now: Timestamp, sessions_before: Timestamp) -> Result<(), StoreError> {
        let cutoffs = Cutoffs::at(now, sessions_before);
        sessions::sweep(&self.pool, &cutoffs).await?;
        sign_ins::sweep(&self.pool, &cutoffs).await?;
        drafts::sweep(&self.pool, &cutoffs).await?;
        journal::sweep(&self.pool, &cutoffs).await?;
        logins::sweep(&self.pool, &cutoffs).await?;
        add_up(self).await
    }

    async fn heartbeat(&self, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO heartbeat (id, at, ballast) VALUES (1, $1, decode(repeat(md5(random()::text), $2), 'hex'))
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, ballast = excluded.ballast",
        )
        .bind(at.as_millisecond())
        .bind(HEARTBEAT_HASHES)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, most: u32) -> Result<u64, StoreError> {
        let mut gone = contents(&self.pool, content_before, most).await?;
        for (sql, before) in [
            (
                "DELETE FROM message WHERE id = ANY (ARRAY (SELECT id FROM message WHERE finished_at < $1
                     AND finished_at IS NOT NULL ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED))
                   AND finished_at IS NOT NULL",
                finished_before,
            ),
            // Events of portals that have no webhook any more.
            (
                "DELETE FROM event WHERE id = ANY (ARRAY (SELECT id FROM event WHERE created_at < $1 LIMIT $2))",
                finished_before,
            ),
            // A message enqueued meanwhile has locked its lane, and lowered its bound.
            (
                "DELETE FROM lane WHERE ctid = ANY (ARRAY
                     (SELECT ctid FROM lane WHERE next_at IS NULL AND rests_until < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                content_before,
            ),
            (
                "DELETE FROM destination WHERE ctid = ANY (ARRAY
                     (SELECT ctid FROM destination WHERE next_at IS NULL AND rests_until < $1 LIMIT $2
                      FOR UPDATE SKIP LOCKED))",
                content_before,
            ),
        ] {
            let deleted = sqlx::query(sql).bind(before.as_millisecond()).bind(limit(most)).execute(&self.pool).await?;
            gone += deleted.rows_affected();
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
        .execute(&self.pool)
        .await?;
        add_up(self).await?;
        Ok(gone)
    }

    async fn queue_metrics(&self, now: Timestamp) -> Result<QueueMetrics, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS lines,
                    coalesce(sum(amount) FILTER (WHERE kind = 'queued'), 0)::bigint AS queued,
                    coalesce(sum(amount) FILTER (WHERE kind = 'deferred'), 0)::bigint AS deferred,
                    coalesce(sum(amount) FILTER (WHERE kind = 'sending'), 0)::bigint AS sending,
                    coalesce(sum(amount) FILTER (WHERE kind = 'event'), 0)::bigint AS events,
                    (SELECT count(*) FROM destination WHERE rests_until > $1 AND rests_until > 0) AS resting,
                    (SELECT count(*) FROM quarantine) AS quarantined,
                    (SELECT min(created_at) FROM message WHERE state IN ('queued', 'deferred')) AS oldest,
                    ((SELECT coalesce(sum((SELECT sum(lane.queued) FROM lane
                                          WHERE lane.destination = destination.destination AND lane.due_at IS NOT NULL)), 0)
                      FROM destination WHERE destination.rests_until > $1 AND destination.rests_until > 0)
                     + (SELECT coalesce(sum(lane.queued), 0) FROM lane LEFT JOIN destination USING (destination)
                        WHERE lane.rests_until > $1 AND lane.rests_until > 0
                          AND coalesce(destination.rests_until, 0) <= $1))::bigint AS held
             FROM tally",
        )
        .bind(now.as_millisecond())
        .fetch_one(&self.pool)
        .await?;
        let count = |column| -> Result<u64, StoreError> { Ok(u64::try_from(row.number(column)?).unwrap_or_default()) };
        if row.number("lines")? > MOST_LINES {
            add_up(self).await?;
        }
        Ok(QueueMetrics {
            queued: count("queued")?,
            deferred: count("deferred")?,
            sending: count("sending")?,
            events: count("events")?,
            resting: count("resting")?,
            held: count("held")?,
            quarantined: count("quarantined")?,
            oldest: row.number_if_any("oldest")?.map(instant),
        })
    }
}

/// Hashes of 16 bytes in a heartbeat, which has as many bytes as a usual message: a nearly full disk may have room for
/// a byte, but not for a message.
const HEARTBEAT_HASHES: i32 = 8 * 1024;
/// Most bytes of contents deleted with one statement, unless one content is larger.
const MOST_BYTES: i64 = 16 * 1024 * 1024;
/// Rows of the tally that are read without merging them first.
const MOST_LINES: i64 = 1_000;
/// How many are merged at once.
const LINES: i64 = 100_000;

/// Merges the tally's rows of each kind. Rows that another transaction is merging are skipped.
async fn add_up(store: &PostgresStore) -> Result<(), StoreError> {
    sqlx::query(
        "WITH lines AS MATERIALIZED (SELECT ctid FROM tally LIMIT $1 FOR UPDATE SKIP LOCKED),
              gone AS (DELETE FROM tally WHERE ctid IN (SELECT ctid FROM lines) RETURNING kind, amount)
         INSERT INTO tally (kind, amount) SELECT kind, sum(amount) FROM gone GROUP BY kind HAVING sum(amount) <> 0",
    )
    .bind(LINES)
    .execute(&store.pool)
    .await?;
    Ok(())
}

/// Deletes texts and files that are no longer needed.
async fn contents(pool: &PgPool, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "SELECT id, size FROM message WHERE finished_at < $1 AND finished_at IS NOT NULL AND has_content
         ORDER BY finished_at LIMIT $2",
    )
    .bind(before.as_millisecond())
    .bind(limit(most))
    .fetch_all(pool)
    .await?;
    let ids = deleted_together(&rows, MOST_BYTES)?;
    if ids.is_empty() {
        return Ok(0);
    }
    // The message may have been resent meanwhile.
    let gone = sqlx::query(
        "WITH finished AS MATERIALIZED (SELECT id FROM message WHERE id = ANY ($1) AND finished_at IS NOT NULL
             ORDER BY id FOR UPDATE SKIP LOCKED)
         DELETE FROM content WHERE message IN (SELECT id FROM finished)",
    )
    .bind(ids)
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}
