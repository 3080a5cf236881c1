//! Server side. The store in a SQLite file: write-ahead log, every commit on the disk before it is reported
//! (`synchronous = FULL`), deleted content overwritten (`secure_delete`).

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Sqlite, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{StoreError, codec::values::Value, copy};

mod accounts;
mod backup;
mod checkpoints;
mod clock;
mod deleted;
#[cfg(test)]
mod disk_faults;
mod drafts;
mod events;
mod file;
mod grants;
mod journal;
#[cfg(test)]
mod load;
mod logins;
mod maintenance;
mod messages;
mod one_writer;
mod outcomes;
mod profiles;
mod quarantine;
mod queue;
mod rows;
mod sealed;
mod serving;
mod sessions;
mod set_aside;
mod settlements;
mod sign_ins;
mod test_runs;
#[cfg(test)]
mod tests;
mod transaction;

pub(super) use backup::{IS_MARKED, MARK};
use file::{OpenedFile, make_private};
pub use serving::ServingLock;

/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a writer waits for earlier ones. With [`BUSY_TIMEOUT`] it gets an answer within five seconds.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(2_500);
/// Number of pages (4 KiB) in the write-ahead log at which a commit moves them into the file, while the writer waits.
const CHECKPOINT: &str = "4000";
/// The writer's page cache, in KiB (negative: SQLite would count pages otherwise). A reader has 2,000.
const WRITER_CACHE: &str = "-8000";
/// Readers beside the writer.
const CONNECTIONS: u32 = 4;

/// The migrations, in order. A migration that has landed is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("../../migrations/sqlite/0001_start.sql")),
    (2, "mending", include_str!("../../migrations/sqlite/0002_mending.sql")),
    (3, "journal", include_str!("../../migrations/sqlite/0003_journal.sql")),
    (4, "sessions_by_account", include_str!("../../migrations/sqlite/0004_sessions_by_account.sql")),
    (5, "outbox", include_str!("../../migrations/sqlite/0005_outbox.sql")),
    (7, "time_and_transactions", include_str!("../../migrations/sqlite/0007_time_and_transactions.sql")),
    (8, "lanes", include_str!("../../migrations/sqlite/0008_lanes.sql")),
    (9, "heartbeat", include_str!("../../migrations/sqlite/0009_heartbeat.sql")),
    (11, "form", include_str!("../../migrations/sqlite/0011_form.sql")),
    (12, "logins", include_str!("../../migrations/sqlite/0012_logins.sql")),
    (13, "waking", include_str!("../../migrations/sqlite/0013_waking.sql")),
    (14, "used token by expiry", include_str!("../../migrations/sqlite/0014_used_token_by_expiry.sql")),
    (16, "queued by lane", include_str!("../../migrations/sqlite/0016_queued_by_lane.sql")),
    (17, "lists and contents", include_str!("../../migrations/sqlite/0017_lists_and_contents.sql")),
    (18, "outcomes", include_str!("../../migrations/sqlite/0018_outcomes.sql")),
    (19, "settled", include_str!("../../migrations/sqlite/0019_settled.sql")),
    (20, "deleted", include_str!("../../migrations/sqlite/0020_deleted.sql")),
    (21, "name", include_str!("../../migrations/sqlite/0021_name.sql")),
    (22, "grants", include_str!("../../migrations/sqlite/0022_grants.sql")),
];

/// A SQLite database.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// The one connection that writes: writers queue for it instead of waiting for the file's lock.
    writer: SqlitePool,
    /// Outcomes that are on disk, but not yet in the rows of their messages.
    outcomes: Arc<outcomes::Outcomes>,
    /// A database in memory lives as long as one connection to it; the pool closes one whose future was dropped.
    #[cfg(test)]
    #[expect(dead_code, reason = "held, not read")]
    keeper: Option<Arc<std::sync::Mutex<sqlx::SqliteConnection>>>,
}

impl SqliteStore {
    /// Opens the file, creating it if needed, and migrates it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        // Not created a second time: if the file is deleted meanwhile, an empty one must not replace it.
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        Self::connect(options, CONNECTIONS, Some(OpenedFile::of(path)?)).await
    }

    /// A database in memory, for tests: one connection, since connections that share a cache lock each other's tables.
    #[cfg(test)]
    pub async fn in_memory() -> Result<Self, StoreError> {
        Self::in_memory_on(|number| format!("sqlite-{number}")).await
    }

    /// The same, on threads with these names.
    #[cfg(test)]
    async fn in_memory_on(thread: impl Fn(u64) -> String + Send + Sync + 'static) -> Result<Self, StoreError> {
        use sqlx::ConnectOptions as _;
        let name = format!("file:{}", uuid::Uuid::new_v4());
        let options = SqliteConnectOptions::new().filename(name).in_memory(true).shared_cache(true).thread_name(thread);
        let keeper = options.connect().await?;
        let store = Self::connect(options, 1, None).await?;
        Ok(Self { keeper: Some(Arc::new(std::sync::Mutex::new(keeper))), ..store })
    }

    async fn connect(
        options: SqliteConnectOptions,
        connections: u32,
        file: Option<OpenedFile>,
    ) -> Result<Self, StoreError> {
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", CHECKPOINT)
            .pragma("temp_store", "MEMORY")
            .busy_timeout(BUSY_TIMEOUT);
        let connect = |options, connections| {
            let (at_connect, at_use) = (file.clone(), file.clone());
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .after_connect(move |_, _| {
                    let there = at_connect.as_ref().map_or(Ok(()), OpenedFile::is_there);
                    Box::pin(std::future::ready(there))
                })
                .before_acquire(move |_, _| {
                    let there = at_use.as_ref().is_none_or(|file| file.is_there().is_ok());
                    Box::pin(std::future::ready(Ok(there)))
                })
                .connect_with(options)
        };
        let writer = connect(options.clone().pragma("cache_size", WRITER_CACHE), 1).await?;
        let unfinished: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = ?")
            .bind(copy::UNFINISHED)
            .fetch_one(&writer)
            .await?;
        if unfinished > 0 {
            writer.close().await;
            return Err(StoreError::UnfinishedCopy);
        }
        migrator().run(&writer).await?;
        // Outcomes that a crash left behind.
        outcomes::move_all(&writer, || {}).await?;
        if file.is_some() {
            tokio::spawn(checkpoints::run(options.clone(), writer.close_event()));
        }
        // A database in memory has one connection.
        let pool = if connections == 1 { writer.clone() } else { connect(options, connections).await? };
        Ok(Self {
            pool,
            writer,
            outcomes: Arc::default(),
            #[cfg(test)]
            keeper: None,
        })
    }

    /// For tests that need rows which no method writes.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &SqlitePool {
        &self.writer
    }

    /// Copies the whole database as it is now, while others go on writing. The target file must not exist.
    pub async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        make_private(to)?;
        self.move_outcomes().await;
        let copied = sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy()).execute(&self.pool).await;
        let marked = match copied {
            Ok(_) => backup::mark_file(to).await,
            Err(error) => Err(error.into()),
        };
        // SQLite does not wait for the disk here.
        let kept = marked.and_then(|()| {
            let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
            synced.map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))
        });
        if kept.is_err() {
            let _ = std::fs::remove_file(to);
        }
        kept
    }

    /// Closes every connection; the write-ahead log is merged into the file.
    pub async fn close(&self) {
        self.move_outcomes().await;
        self.pool.close().await;
        self.writer.close().await;
    }
}

/// The newest version of the tables.
pub(super) const fn newest() -> i64 {
    MIGRATIONS[MIGRATIONS.len() - 1].0
}

fn migrator() -> Migrator {
    migrator_to(i64::MAX)
}

/// The migrations up to this one.
fn migrator_to(last: i64) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .filter(|(version, ..)| *version <= last)
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Binds values in their order.
fn bind_all(
    query: Query<'_, Sqlite, SqliteArguments>,
    values: impl IntoIterator<Item = Value>,
) -> Query<'_, Sqlite, SqliteArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Flag(flag) => query.bind(flag),
    })
}
