//! Server side. Why the store failed, and which response that makes.
//!
//! | failure | variant | page or API |
//! |---|---|---|
//! | the database is locked, full or gone: a retry may succeed | `Unavailable`, `Migration` | 503 |
//! | another process serves from it, or it is of a later version | `InUse`, `Reserved`, `TooNew` | none: no start |
//! | it is the target of an unfinished copy | `UnfinishedCopy` | none: no start |
//! | it is a backup whose waiting messages were not dealt with | `Backup` | none: no start |
//! | it rejected a value | `Rejected` | 500 |
//! | a stored row is damaged | `Inconsistent`, `Undecodable` | 500 |
//! | a value of our own cannot be encoded | `Unencodable` | 500 |
//!
//! A failure is logged once, where it is handled: by [`StoreError::log`].

use app::error::AppError;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    #[error("cannot migrate the database")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error(
        "another process{} serves from it, and this command needs exclusive use: stop that process first",
        process.map(|id| format!(" ({id})")).unwrap_or_default()
    )]
    InUse { process: Option<u32> },
    #[error(
        "another process has exclusive use: an earlier version that serves, or `facteur restored`; stop it, or wait for its end"
    )]
    Reserved,
    #[error(
        "its schema has version {found}, and this version of Facteur knows {known}: only the next version is tolerated; \
         use the newer Facteur"
    )]
    TooNew { found: i64, known: i64 },
    #[error(
        "it holds an unfinished copy: run the same `facteur database copy` again to continue it, or use an empty database"
    )]
    UnfinishedCopy,
    #[error(
        "it is a restored backup, or a copy made by other means: its waiting messages may have been sent since. \
         Run `facteur restored` first (see `facteur restored --help`)"
    )]
    Backup,
    #[error("the database rejected a value")]
    Rejected(#[source] sqlx::Error),
    #[error("inconsistent row {row} in {table}.{column}")]
    Inconsistent { table: &'static str, column: &'static str, row: String },
    #[error("cannot decode a column")]
    Undecodable(#[source] sqlx::Error),
    #[error("cannot encode a value for {table}.{column}")]
    Unencodable {
        table: &'static str,
        column: &'static str,
        #[source]
        source: serde_json::Error,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database)
                if !matches!(database.kind(), sqlx::error::ErrorKind::Other)
                    || database.code().is_some_and(|code| is_about_a_value(&code)) =>
            {
                Self::Rejected(error)
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::TypeNotFound { .. } => Self::Undecodable(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// Whether a database's error code is about a value in the statement.
fn is_about_a_value(code: &str) -> bool {
    /// `SQLITE_TOOBIG`.
    const TOO_BIG: &str = "18";
    /// PostgreSQL: data exceptions, and program limits (an index entry that is too large). SQLite's codes are shorter.
    const CLASSES: [&str; 2] = ["22", "54"];
    code == TOO_BIG || (code.len() == 5 && CLASSES.iter().any(|class| code.starts_with(class)))
}

impl StoreError {
    /// Whether one value or row is at fault, so that others can be written.
    pub const fn is_about_a_row(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::Migration(_)
            | Self::InUse { .. }
            | Self::Reserved
            | Self::TooNew { .. }
            | Self::UnfinishedCopy
            | Self::Backup => false,
            Self::Rejected(_) | Self::Inconsistent { .. } | Self::Undecodable(_) | Self::Unencodable { .. } => true,
        }
    }

    /// Logs the failure where it is handled. The result is all that a page shows.
    pub(crate) fn log(self) -> AppError {
        tracing::error!(error = &self as &dyn std::error::Error, "the store failed");
        if self.is_about_a_row() { AppError::Internal } else { AppError::Unavailable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unencodable() -> StoreError {
        let source = serde_json::from_str::<u8>("x").unwrap_err();
        StoreError::Unencodable { table: "message", column: "recipients", source }
    }

    #[test]
    fn a_database_that_is_away_and_a_fault_of_ours_are_told_apart() {
        let damaged = || StoreError::Inconsistent { table: "message", column: "id", row: "1".to_owned() };
        let decode = || StoreError::from(sqlx::Error::ColumnNotFound("x".to_owned()));
        let away = || StoreError::from(sqlx::Error::PoolTimedOut);
        for (error, status) in [(away(), 503), (decode(), 500), (damaged(), 500), (unencodable(), 500)] {
            assert_eq!(error.log().status().as_u16(), status);
        }
    }

    #[tokio::test]
    async fn what_the_database_rejects_is_not_the_database_being_away() {
        let store = crate::store::sqlite::SqliteStore::in_memory().await.unwrap();
        let twice = "INSERT INTO canary (id, sealed) VALUES (1, x'00'), (1, x'00')";
        let error = StoreError::from(sqlx::query(twice).execute(store.raw()).await.unwrap_err());
        assert!(matches!(error, StoreError::Rejected(_)) && error.is_about_a_row(), "{error:?}");
        store.raw().close().await;
        let error = StoreError::from(sqlx::query(twice).execute(store.raw()).await.unwrap_err());
        assert!(matches!(error, StoreError::Unavailable(_)) && !error.is_about_a_row(), "{error:?}");
    }
}
