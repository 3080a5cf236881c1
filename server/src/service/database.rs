//! Server side. The database of `[database]`: a SQLite file, or PostgreSQL.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

use super::{ServeError, keys::secret};
use crate::{
    config::{self, Config, ConfigError, secret_file, sections::DatabaseUrl},
    replicas::{DatabaseClock, Replicas, TERMS},
    store::{
        Store, StoreError, copy,
        postgres::{self, PostgresStore},
        sqlite::{self, SqliteStore},
    },
    time::Machine,
};

/// Largest pool size.
const MOST_CONNECTIONS: u32 = 1_000;

/// Where the database is.
pub enum DatabaseLocation {
    File(PathBuf),
    Server(Box<PgConnectOptions>, u32),
}

/// An open database.
#[derive(Clone)]
pub enum Database {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// Keeps other processes from using the database in a way that excludes this one.
pub enum ServingLock {
    File(#[expect(dead_code, reason = "held, not read")] sqlite::ServingLock),
    Server(postgres::ServingLock),
}

impl ServingLock {
    /// The number of this replica, if there may be several.
    pub const fn replica(&self) -> Option<i32> {
        match self {
            Self::File(_) => None,
            Self::Server(lock) => lock.replica(),
        }
    }

    /// Resolves when another process has taken over the lock while the connection was lost.
    pub async fn lost(&self) {
        match self {
            Self::File(_) => std::future::pending().await,
            Self::Server(lock) => lock.lost().cancelled().await,
        }
    }
}

impl DatabaseLocation {
    /// Reads `[database]`; nothing is opened.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let given = &config.database;
        let pool_size = given.pool_size.map(std::num::NonZeroU32::get);
        if pool_size.is_some_and(|size| !(2..=MOST_CONNECTIONS).contains(&size)) {
            return Err(ConfigError::wrong("database.pool_size", "must be a number from 2 to 1,000"));
        }
        let (place, url) = match (&given.path, &given.url, &given.url_file) {
            (Some(path), None, None) => {
                if pool_size.is_some() {
                    return Err(ConfigError::wrong("database.pool_size", "applies to PostgreSQL only: leave it out"));
                }
                return Ok(Self::File(config.path(path)));
            }
            (None, Some(DatabaseUrl(url)), None) => ("database.url", Zeroizing::new(url.clone())),
            (None, None, Some(file)) => ("database.url_file", url_of(config, file)?),
            (None, None, None) => {
                return Err(ConfigError::wrong(
                    "database",
                    "needs path (a SQLite file), or url or url_file (PostgreSQL)",
                ));
            }
            _ => {
                return Err(ConfigError::wrong(
                    "database",
                    "takes only one of path (a SQLite file), url and url_file (PostgreSQL)",
                ));
            }
        };
        let options = postgres::options(&url, &config.path(Path::new("")))
            .map_err(|problem| ConfigError::wrong(place, problem))?;
        Ok(Self::Server(Box::new(options), pool_size.unwrap_or(postgres::CONNECTIONS)))
    }

    /// PostgreSQL at this URL. The error does not contain the URL.
    pub fn server(url: &str) -> Result<Self, &'static str> {
        Ok(Self::Server(Box::new(postgres::options(url, Path::new(""))?), postgres::CONNECTIONS))
    }

    /// A location from the command line: a path, or a PostgreSQL URL. The error does not contain it, since it may hold
    /// a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
            // Windows has drives of one letter.
            scheme.len() > 1 && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-._".contains(letter))
        });
        let has_password = text.split_once('@').is_some_and(|(before, _)| before.contains(':'));
        let is_url = has_scheme || has_password;
        if is_url && !Path::new(text).exists() {
            return Self::server(text);
        }
        if text.is_empty() {
            Err("it must be the path of a SQLite file, or postgres://…")
        } else {
            Ok(Self::File(text.into()))
        }
    }

    /// A file that holds a URL, as `database.url_file` does.
    pub fn parse_file(file: &Path) -> Result<Self, ConfigError> {
        let place = || file.display().to_string();
        let bytes = secret_file::read(file).map_err(|problem| ConfigError::wrong(place(), problem))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::wrong(place(), "not UTF-8"))?;
        Self::server(text).map_err(|problem| ConfigError::wrong(place(), problem))
    }

    /// The same, for a copy.
    pub fn location(&self) -> copy::Location {
        match self {
            Self::File(path) => copy::Location::File(path.clone()),
            Self::Server(options, _) => copy::Location::Server(options.clone()),
        }
    }

    /// Whether both lead to the same database, as far as one can tell without connecting.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => {
                one == other
                    || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
            }
            (Self::Server(..), Self::Server(..)) => self.to_string() == other.to_string(),
            _ => false,
        }
    }

    /// Opens it, and migrates it.
    pub async fn open(&self) -> Result<Database, ServeError> {
        let opened = match self {
            Self::File(path) => SqliteStore::open(path).await.map(Database::Sqlite),
            Self::Server(options, pool_size) => {
                PostgresStore::open((**options).clone(), *pool_size).await.map(Database::Postgres)
            }
        };
        opened.map_err(|error| self.failed(error))
    }

    /// Takes it for exclusive use.
    pub async fn lock(&self) -> Result<ServingLock, ServeError> {
        self.take_lock().await.map_err(|error| self.failed(error))
    }

    /// The same, with the bare error.
    pub async fn take_lock(&self) -> Result<ServingLock, StoreError> {
        match self {
            Self::File(path) => sqlite::ServingLock::take(path).map(ServingLock::File),
            Self::Server(options, _) => postgres::ServingLock::take(options).await.map(ServingLock::Server),
        }
    }

    /// Serves from it: PostgreSQL beside other processes, a file alone.
    pub async fn join(&self) -> Result<ServingLock, ServeError> {
        match self {
            Self::File(_) => self.lock().await,
            Self::Server(options, _) => {
                let lock = postgres::ServingLock::join(options).await.map(ServingLock::Server);
                lock.map_err(|error| self.failed(error))
            }
        }
    }

    /// The error with the location, which contains no password.
    pub fn failed(&self, error: StoreError) -> ServeError {
        ServeError::Store(self.to_string(), error)
    }
}

impl std::fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(options, _) => {
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => options.get_host().to_owned(),
                };
                let name = options.get_database().unwrap_or_else(|| options.get_username());
                write!(f, "{name} on {host}, port {}", options.get_port())
            }
        }
    }
}

impl Database {
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
        }
    }

    /// The clock that everything uses, and this process's part in the cluster. With PostgreSQL it is the database's
    /// clock, since other machines compare stored instants with theirs.
    pub async fn time_and_replicas(&self, replica: Option<i32>) -> Result<(Machine, Replicas), StoreError> {
        let machine = config::machine();
        let Self::Postgres(store) = self else { return Ok((machine, Replicas::alone())) };
        let clock = DatabaseClock::new(store, &machine).await?;
        let machine = clock.on_the_wall_of(machine);
        let replicas = match replica {
            Some(replica) => Replicas::among(Arc::new(store.clone()), replica, Some(clock), TERMS),
            None => Replicas::alone(),
        };
        Ok((machine, replicas))
    }

    /// Receives the notices of other replicas, forever.
    pub async fn listen(self, replicas: Replicas) {
        if let Self::Postgres(store) = self {
            store.listen(move |notice| replicas.heard(notice)).await;
        }
    }

    /// Copies it into a new file.
    pub async fn back_up(&self, to: &Path) -> Result<(), ServeError> {
        match self {
            Self::Sqlite(store) => {
                store.back_up(to).await.map_err(|error| ServeError::Store(to.display().to_string(), error))
            }
            Self::Postgres(_) => Err(ConfigError::wrong(
                "database.url",
                "facteur backup copies a SQLite file; for PostgreSQL use pg_dump --format=custom, and pg_restore",
            )
            .into()),
        }
    }

    /// Whether it is a backup for which `facteur restored` was not run yet.
    pub async fn is_backup(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.is_backup().await,
            Self::Postgres(store) => store.is_backup().await,
        }
    }

    /// Removes the mark of a backup.
    pub async fn release_backup(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.release_backup().await,
            Self::Postgres(store) => store.release_backup().await,
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

fn url_of(config: &Config, file: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let bytes = secret(config, "database.url_file".to_owned(), file, secret_file::read)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::wrong("database.url_file", "not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
