//! Server side. Moves what has gathered in the write-ahead log into the file, beside whoever writes.
//!
//! SQLite does that in the commit that finds [`CHECKPOINT`](super::CHECKPOINT) pages in the log, while all others wait. Here a
//! connection of its own does it earlier, so that a commit finds little to move. Only a commit can begin the log anew: it does so
//! when everything was moved.

use std::{path::PathBuf, time::Duration};

use sqlx::{ConnectOptions, SqlitePool, sqlite::SqliteConnectOptions};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// So many pages are worth moving.
const WORTH_IT: i64 = 500;

/// Looks after the log until the pool is closed.
pub(super) async fn run(options: SqliteConnectOptions, pool: SqlitePool) {
    let log = PathBuf::from(format!("{}-wal", options.get_filename().display()));
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = None;
    let mut seen = None;
    loop {
        tokio::select! {
            () = pool.close_event() => return,
            _ = ticks.tick() => {}
        }
        // Where nobody has written, nothing is asked.
        let written = std::fs::metadata(&log).and_then(|log| log.modified()).ok();
        if written == seen {
            continue;
        }
        seen = written;
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => options.connect().await,
        };
        let Ok(mut open) = open else { continue };
        // Whether it was locked out, pages in the log, pages that were moved. The first question changes nothing.
        let asked = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(NOOP)").fetch_one(&mut open).await;
        let moved = match asked {
            Ok((_, log, moved)) if log - moved >= WORTH_IT => {
                sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut open).await.map(drop)
            }
            asked => asked.map(drop),
        };
        match moved {
            Ok(()) => connection = Some(open),
            // The next commit does it, and says what is wrong.
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "checkpoint failed"),
        }
    }
}
