//! Server side. The store in a PostgreSQL database (14 and later), for any number of processes.
//!
//! Every transaction is READ COMMITTED and locks the rows that it decides about, in the order that the migration names
//! (messages, lanes, destinations, profiles, grants, logins) and by their keys: a read after the lock sees the present row.
//! Where there is no row to lock (an account's profiles, the logins with a secret), the transaction takes an advisory
//! lock.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool, Postgres,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
    query::Query,
};
use zeroize::Zeroizing;

use super::{
    StoreError,
    codec::{values::Value, without_nul as text},
    copy,
};

mod accounts;
mod backup;
mod clock;
mod deleted;
mod drafts;
mod events;
mod grants;
mod journal;
mod listener;
mod logins;
mod maintenance;
mod messages;
mod profiles;
mod quarantine;
mod queue;
mod replicas;
mod sealed;
mod serving;
mod sessions;
mod set_aside;
mod settlements;
mod sign_ins;
mod test_runs;
mod transaction;

#[cfg(test)]
pub(crate) mod cluster;
#[cfg(test)]
mod tests;

pub(super) use backup::{IS_MARKED, MARK};
pub use serving::ServingLock;

/// How long a transaction waits for a connection. With [`SETTINGS`] it gets an answer within ten seconds.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(2_500);
/// A connection that was idle for this long is pinged before use.
const IDLE: Duration = Duration::from_secs(1);
/// Default size of the pool.
pub const CONNECTIONS: u32 = 10;

/// Settings of each connection: how long a statement waits for a lock; how long a transaction may be idle before its
/// session is ended, since its process may have been frozen; commits reach the disk, even if the server's default says
/// otherwise; no JIT, since no statement is long enough to be worth compiling.
const SETTINGS: &str = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';
    SET default_transaction_isolation = 'read committed'; SET jit = off;
    SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'";

/// The migrations, in order. A migration that has landed is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("../../migrations/postgres/0001_start.sql")),
    (2, "replicas", include_str!("../../migrations/postgres/0002_replicas.sql")),
    (3, "queued by lane", include_str!("../../migrations/postgres/0003_queued_by_lane.sql")),
    (5, "origin", include_str!("../../migrations/postgres/0005_origin.sql")),
    (6, "growth", include_str!("../../migrations/postgres/0006_growth.sql")),
    (7, "settled, deleted, named", include_str!("../../migrations/postgres/0007_settled_deleted_named.sql")),
    (8, "grants", include_str!("../../migrations/postgres/0008_grants.sql")),
];

/// A PostgreSQL database.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects, and migrates the database. Processes that start at the same time take turns.
    pub async fn open(options: PgConnectOptions, connections: u32) -> Result<Self, StoreError> {
        let named = options.get_application_name().is_some();
        let options = if named { options } else { options.application_name("facteur") };
        let mut connection = PgConnection::connect_with(&options).await?;
        check(&mut connection).await?;
        not_too_new(&mut connection).await?;
        let unfinished: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(copy::UNFINISHED)
            .fetch_one(&mut connection)
            .await?;
        if unfinished {
            return Err(StoreError::UnfinishedCopy);
        }
        // The migration holds an advisory lock, and waits for it without a timeout.
        migrator().run(&mut connection).await?;
        connection.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(SETTINGS).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// Passes the notices of other processes to `heard`, forever; `None` when notices may have been lost.
    pub async fn listen(self, heard: impl Fn(Option<&str>) + Send) {
        listener::listen((*self.pool.connect_options()).clone(), heard).await;
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Parses a URL of the configuration. The error does not contain it, since it may hold a password. Files that it names
/// are relative to this folder.
pub fn options(url: &str, folder: &Path) -> Result<PgConnectOptions, &'static str> {
    /// The allowed parameters after the `?`. sqlx logs the value of any other.
    const PARAMETERS: [&str; 10] = [
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "host",
        "port",
        "dbname",
        "user",
        "application_name",
        "statement-cache-capacity",
    ];
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err("it must begin with postgres://");
    }
    let (_, query) = url.split_once('?').unwrap_or((url, ""));
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| !PARAMETERS.contains(&&*name)) {
        return Err(
            "after the ? it accepts sslmode, sslrootcert, sslcert, sslkey, host, port, dbname, user, application_name and \
             statement-cache-capacity",
        );
    }
    PgConnectOptions::from_str(&with_files_from(folder, url))
        .map_err(|_| "it is not a URL such as postgres://facteur@db.example/facteur")
}

/// The URL with its paths made relative to the working folder.
fn with_files_from(folder: &Path, url: &str) -> Zeroizing<String> {
    /// Each may also hold the certificate itself.
    const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];
    let Some((before, query)) = url.split_once('?') else { return Zeroizing::new(url.to_owned()) };
    let mut written = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if FILES.contains(&&*name) && !value.trim_start().starts_with("-----BEGIN") {
            written.append_pair(&name, &folder.join(&*value).to_string_lossy());
        } else {
            written.append_pair(&name, &value);
        }
    }
    Zeroizing::new(format!("{before}?{}", written.finish()))
}

/// Whether the server can be used at all.
async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (version, encoding): (i32, String) =
        sqlx::query_as("SELECT current_setting('server_version_num')::integer, current_setting('server_encoding')")
            .fetch_one(connection)
            .await?;
    let problem = if version < 140_000 {
        "PostgreSQL 14 or later is needed"
    } else if encoding != "UTF8" {
        "the database's encoding must be UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    } else {
        return Ok(());
    };
    Err(StoreError::Unavailable(sqlx::Error::Configuration(problem.into())))
}

/// During an upgrade the next version has migrated the database, and processes of this one still run beside it: a
/// migration leaves everything the previous version needs. A process that is two migrations behind does not start.
async fn not_too_new(connection: &mut PgConnection) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
    let migrated: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    if migrated {
        let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_one(connection)
            .await?;
        if found > known + 1 {
            return Err(StoreError::TooNew { found, known });
        }
    }
    Ok(())
}

/// The newest version of the tables.
pub(super) const fn newest() -> i64 {
    MIGRATIONS[MIGRATIONS.len() - 1].0
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.set_ignore_missing(true);
    migrator
}

/// As PostgreSQL's integer type: it has no unsigned ones.
fn limit(limit: u32) -> i64 {
    i64::from(limit)
}

/// One column of a batch.
fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Binds values in their order.
fn bind_all(
    query: Query<'_, Postgres, PgArguments>,
    values: impl IntoIterator<Item = Value>,
) -> Query<'_, Postgres, PgArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Flag(flag) => query.bind(flag),
    })
}
