//! Server side. Moves pages from the write-ahead log into the file, while writers go on.
//!
//! SQLite itself does this in the commit that finds [`CHECKPOINT`](super::CHECKPOINT) pages in the log, while every
//! other writer waits. Here a connection of its own does it earlier, so that a commit finds little to move. Only a
//! commit can restart the log from its beginning, once every page was moved.

use std::{path::PathBuf, time::Duration};

use sqlx::{ConnectOptions, pool::CloseEvent, sqlite::SqliteConnectOptions};
use tokio::time::{MissedTickBehavior, interval};

/// How often the log is checked.
const EVERY: Duration = Duration::from_millis(200);
/// Fewer pages are not worth moving.
const WORTH_IT: i64 = 500;

/// Moves pages until the pool is `closed`, or dropped.
pub(super) async fn run(options: SqliteConnectOptions, mut closed: CloseEvent) {
    let log = PathBuf::from(format!("{}-wal", options.get_filename().display()));
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = None;
    let mut seen = None;
    loop {
        tokio::select! {
            () = &mut closed => return,
            _ = ticks.tick() => {}
        }
        // Nothing was written since the last check.
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
        // The columns: whether it was busy, pages in the log, pages moved. NOOP only reports them.
        let asked = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(NOOP)").fetch_one(&mut open).await;
        let moved = match asked {
            Ok((_, log, moved)) if log - moved >= WORTH_IT => {
                sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut open).await.map(drop)
            }
            asked => asked.map(drop),
        };
        match moved {
            Ok(()) => connection = Some(open),
            // The next commit moves the pages, and reports what is wrong.
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "checkpoint failed"),
        }
    }
}
