//! Server side. The store in a SQLite file: write-ahead log, every commit on the disk before it is reported
//! (`synchronous = FULL`), deleted content overwritten (`secure_delete`).

use std::{path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

mod accounts;
mod clock;
#[cfg(test)]
mod disk_faults;
mod drafts;
mod events;
mod journal;
#[cfg(test)]
mod load;
mod logins;
mod maintenance;
mod messages;
mod profiles;
mod quarantine;
mod queue;
mod rows;
mod sealed;
mod sessions;
mod settlements;
mod test_runs;
mod transaction;

/// How long a statement waits for another process that holds the lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a writer waits for those before it. With [`BUSY_TIMEOUT`] it has an answer within five seconds.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(2_500);
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
];

/// A SQLite database.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// The one connection that writes: writers wait for it in a queue, and not for the file's lock.
    writer: SqlitePool,
    /// A database in memory lives as long as one connection to it; the pool closes one whose future was dropped.
    #[cfg(test)]
    #[expect(dead_code, reason = "held, not read")]
    keeper: Option<std::sync::Arc<std::sync::Mutex<sqlx::SqliteConnection>>>,
}

impl SqliteStore {
    /// Opens the file, making it if needed, and brings it up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        // Not made a second time: a file that somebody deletes must not come back empty.
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        Self::connect(options, CONNECTIONS, Some(OpenedFile::of(path)?)).await
    }

    /// A database in memory, for tests: one connection, since connections that share a cache lock each other's tables.
    #[cfg(test)]
    pub async fn in_memory() -> Result<Self, StoreError> {
        use sqlx::ConnectOptions as _;
        let name = format!("file:{}", uuid::Uuid::new_v4());
        let options = SqliteConnectOptions::new().filename(name).in_memory(true).shared_cache(true);
        let keeper = options.connect().await?;
        let store = Self::connect(options, 1, None).await?;
        Ok(Self { keeper: Some(std::sync::Arc::new(std::sync::Mutex::new(keeper))), ..store })
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
        let writer = connect(options.clone(), 1).await?;
        migrator().run(&writer).await?;
        // A database in memory has one connection.
        let pool = if connections == 1 { writer.clone() } else { connect(options, connections).await? };
        Ok(Self {
            pool,
            writer,
            #[cfg(test)]
            keeper: None,
        })
    }

    /// For tests that need rows which no method makes.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &SqlitePool {
        &self.writer
    }

    /// A copy of the whole database, as it is now, while others go on writing. The file must not be there.
    pub async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        make_private(to)?;
        let copied = sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy()).execute(&self.pool).await;
        // SQLite does not wait for the disk here.
        let kept = copied.map_err(StoreError::from).and_then(|_| {
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
        self.pool.close().await;
        self.writer.close().await;
    }
}

/// The file that was opened. SQLite goes on writing into one that was deleted or replaced, and all of it would be gone
/// with the process.
#[derive(Clone)]
struct OpenedFile {
    path: std::path::PathBuf,
    identity: (u64, u64),
}

impl OpenedFile {
    fn of(path: &Path) -> Result<Self, StoreError> {
        let identity = identity(path).map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))?;
        Ok(Self { path: path.to_owned(), identity })
    }

    /// Whether the path still leads to it.
    fn is_there(&self) -> Result<(), sqlx::Error> {
        if identity(&self.path)? == self.identity {
            return Ok(());
        }
        Err(sqlx::Error::Io(std::io::Error::other("the database file was replaced: a restart opens the new one")))
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Elsewhere an open file cannot be deleted.
#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// A new file is its owner's alone; SQLite gives its log the same rights. One that is there stays as it is.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unavailable(sqlx::Error::Io(error))),
    }
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

#[cfg(test)]
mod tests {
    use app::{profile::model::ProfileId, sending_mode::model::SendingMode, session::AccountId};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::store::{ProfileRow, aggregates::*};

    #[tokio::test]
    async fn it_keeps_the_contract() {
        crate::store::contract::all(async || SqliteStore::in_memory().await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_database_in_memory_outlives_a_dropped_future() {
        let store = SqliteStore::in_memory().await.unwrap();
        for _ in 0..100 {
            // Asked once, and dropped while the statement is under way.
            let _ = futures::FutureExt::now_or_never(store.canary());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(store.canary().await.unwrap(), None, "its tables are there");
    }

    #[tokio::test]
    async fn a_file_is_opened_again_with_everything_in_it() {
        let path = std::env::temp_dir().join(format!("{}.db", uuid::Uuid::new_v4()));
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        let store = SqliteStore::open(&path).await.unwrap();
        store
            .set_sending_mode(&account, SendingMode::OwnSmtp, None, &crate::store::contract::entry(1, 0))
            .await
            .unwrap();
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let pragma = async |name: &'static str| {
            sqlx::query_scalar::<_, String>(name).fetch_one(&store.pool).await.unwrap_or_default()
        };
        assert_eq!(pragma("PRAGMA journal_mode").await, "wal");
        let number =
            async |name: &'static str| sqlx::query_scalar::<_, i64>(name).fetch_one(&store.pool).await.unwrap();
        assert_eq!(number("PRAGMA synchronous").await, 2, "every commit is on the disk");
        assert_eq!(number("PRAGMA secure_delete").await, 1, "what is deleted is overwritten");
        store.close().await;
        let again = SqliteStore::open(&path).await.unwrap();
        assert_eq!(again.sending_mode(&account).await.unwrap(), Some(SendingMode::OwnSmtp));
        again.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }

    #[tokio::test]
    async fn a_save_touches_its_own_profile_only() {
        use crate::store::{Change, contract};
        let store = SqliteStore::in_memory().await.unwrap();
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        let row = |number| ProfileRow { id: ProfileId(Uuid::from_u128(number)), ..contract::row(1, None) };
        for number in 1..=3 {
            let made = store.insert_profile(&account, &row(number), 9, &contract::entry(number, 0)).await.unwrap();
            assert!(made.is_some());
        }
        sqlx::raw_sql(
            "CREATE TABLE touched (id TEXT);
             CREATE TRIGGER profile_touched AFTER UPDATE ON profile BEGIN INSERT INTO touched VALUES (NEW.id); END;",
        )
        .execute(store.raw())
        .await
        .unwrap();
        for number in [1, 2] {
            let mut decide = |before: &ProfileRow| {
                let mut after = before.clone();
                after.settings.sender_name = "Devis".to_owned();
                Change::Edit(Box::new(after), contract::entry(number + 10, 0))
            };
            assert!(store.change_profile(&account, row(number).id, &mut decide).await.unwrap());
            let touched: Vec<String> =
                sqlx::query_scalar("SELECT DISTINCT id FROM touched").fetch_all(store.raw()).await.unwrap();
            assert_eq!(touched, [row(number).id.to_string()], "in use or not");
            sqlx::query("DELETE FROM touched").execute(store.raw()).await.unwrap();
        }
    }

    /// A message as SQL, for tests of what no method does.
    fn waiting(id: &str, lane: &str, fallback: u8, at: i64) -> String {
        format!(
            "INSERT INTO message (id, portal, account, lane, request_hash, message_id, subject, size, recipients, state,
                 fallback, created_at, updated_at, expires_at, next_at)
             VALUES ('{id}', 'demo', '{lane}', 'demo\u{1f}{lane}', x'01', 'm', 's', 1, '[]', 'deferred', {fallback}, {at}, {at},
                 900000, {at})"
        )
    }

    #[tokio::test]
    async fn messages_of_an_earlier_version_stand_in_lanes() {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        migrator_to(7).run(&pool).await.unwrap();
        for (number, (lane, fallback, at)) in
            [("a", 0, 2_000), ("a", 0, 1_000), ("a", 1, 3_000), ("b", 0, 9_000)].iter().enumerate()
        {
            let sql = waiting(&format!("00000000-0000-7000-8000-00000000000{number}"), lane, *fallback, *at);
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        }
        migrator().run(&pool).await.unwrap();
        let store = SqliteStore { pool: pool.clone(), writer: pool, keeper: None };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(store.due_lanes("", at(0), 9).await.unwrap(), []);
        let lanes = store.due_lanes("", at(3), 9).await.unwrap();
        let found: Vec<_> = lanes.iter().map(|queue| (queue.lane.account.account.as_str(), queue.fallback)).collect();
        assert_eq!(found, [("a", false), ("a", true)]);
        let metrics = store.queue_metrics(at(3)).await.unwrap();
        assert_eq!((metrics.deferred, metrics.queued, metrics.oldest), (4, 0, Some(at(1))));
    }

    #[tokio::test]
    async fn what_waits_and_what_is_over_is_found_by_an_index() {
        let store = SqliteStore::in_memory().await.unwrap();
        for (sql, index) in [
            (
                "SELECT id FROM message WHERE finished_at < 9 AND finished_at IS NOT NULL AND has_content = 1",
                "message_unsent",
            ),
            ("SELECT id FROM message WHERE finished_at < 9 AND finished_at IS NOT NULL", "message_finished"),
            ("SELECT min(created_at) FROM message WHERE state IN ('queued', 'deferred')", "message_oldest"),
            (
                "SELECT destination FROM destination WHERE due_at <= 9 AND due_at >= 1 ORDER BY due_at",
                "destination_due",
            ),
            ("SELECT lane FROM lane WHERE destination = 'd' AND due_at <= 9 ORDER BY due_at", "lane_due"),
            ("SELECT count(*) FROM destination WHERE rests_until > 9 AND rests_until > 0", "destination_resting"),
            ("SELECT destination FROM destination WHERE next_at IS NULL AND rests_until < 9", "destination_idle"),
        ] {
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                    .fetch_all(&store.pool)
                    .await
                    .unwrap();
            assert!(plan.iter().any(|(.., step)| step.contains("SEARCH") && step.contains(index)), "{sql}: {plan:?}");
        }
    }
}
