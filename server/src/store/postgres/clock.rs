//! Server side. The last instant each machine has seen, and every deadline moved when the database's clock was set.

use async_trait::async_trait;
use const_format::formatcp;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

use super::{PostgresStore, transaction::transaction};
use crate::{
    store::{
        ClockStore, StoreError,
        codec::{
            clock::{mark, milliseconds, moves},
            messages::WAITING,
        },
    },
    time::{Elapsed, ElapsedRule, GRACE, Mark},
};

/// A machine not seen for this long has restarted, or is gone.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(30 * 24);

#[async_trait]
impl ClockStore for PostgresStore {
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError> {
        transaction!(self, transaction, {
            // One after another: when several machines see the same jump, the first one moves the deadlines, and with
            // them the instants the others saw last.
            sqlx::query("LOCK TABLE machine IN EXCLUSIVE MODE").execute(&mut *transaction).await?;
            let (last, seen) = last_seen(&mut transaction, &now.boot).await?;
            let passage = last.as_ref().map(|last| rule(last, now));
            let jump = passage.map_or(SignedDuration::ZERO, |passage| passage.jump);
            if !jump.is_zero() {
                let machines = "UPDATE machine SET seen_at = seen_at + $1".to_owned();
                for sql in moves(jump, "$1").chain([machines]) {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(milliseconds(jump)).execute(&mut *transaction).await?;
                }
            }
            // While another machine ran, there was no gap.
            let passage = passage.zip(seen).map(|(passage, seen)| {
                let since = now.wall.duration_since(seen) - jump;
                Elapsed { passed: passage.passed.min(since).max(SignedDuration::ZERO), ..passage }
            });
            if passage.is_some_and(|passage| passage.is_away()) {
                give_grace(&mut transaction, now.wall).await?;
            }
            sqlx::query(
                "INSERT INTO machine (boot, seen_at, up_ms) VALUES ($2, $1, $3)
                 ON CONFLICT (boot) DO UPDATE SET seen_at = excluded.seen_at, up_ms = excluded.up_ms",
            )
            .bind(now.wall.as_millisecond())
            .bind(&*now.boot)
            .bind(i64::try_from(now.up.as_millis()).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM machine WHERE seen_at < $1")
                .bind((now.wall - FORGOTTEN).as_millisecond())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(passage)
        })
    }
}

/// Makes overdue messages due now, with extra time to send them.
async fn give_grace(connection: &mut PgConnection, now: Timestamp) -> Result<(), StoreError> {
    const WAITING_ONES: &str = formatcp!(
        "UPDATE message SET expires_at = $1, next_at = CASE WHEN next_at > $2 THEN $2 ELSE next_at END WHERE {WAITING} AND expires_at < $1"
    );
    sqlx::query(WAITING_ONES)
        .bind((now + GRACE).as_millisecond())
        .bind(now.as_millisecond())
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE message SET expires_at = $1 WHERE state = 'sending' AND expires_at < $1")
        .bind((now + GRACE).as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// The last instant this machine saw since its start, or else any machine saw; and when any machine last ran.
async fn last_seen(connection: &mut PgConnection, boot: &str) -> Result<(Option<Mark>, Option<Timestamp>), StoreError> {
    let rows =
        sqlx::query("SELECT seen_at, boot, up_ms FROM machine ORDER BY seen_at DESC").fetch_all(connection).await?;
    let marks: Vec<Mark> = rows.iter().map(mark).collect::<Result<_, _>>()?;
    let seen = marks.first().map(|mark| mark.wall);
    let own = marks.iter().find(|mark| &*mark.boot == boot).or(marks.first()).cloned();
    Ok((own, seen))
}
