//! Server side. Why the store did not do what it was asked, and who is told what of it.
//!
//! | what went wrong | variant | a page, the API |
//! |---|---|---|
//! | the database is locked, full or gone: the same may succeed later | `Unavailable`, `Migration` | 503 |
//! | another process serves from it, or it is of a later version | `InUse`, `Reserved`, `TooNew` | none: this one does not start |
//! | it is the target of a copy that is not finished | `UnfinishedCopy` | none: nothing starts |
//! | it is a backup, and nobody said what becomes of what waits in it | `Backup` | none: this one does not start |
//! | it refused a value | `Rejected` | 500 |
//! | a stored row is damaged | `Inconsistent`, `Undecodable` | 500 |
//! | a value of our own does not serialise | `Unencodable` | 500 |
//!
//! A failure is logged once, where it is handled: by [`StoreError::log`].

use app::error::AppError;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    #[error("cannot migrate the database")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error(
        "another process{} serves from it, and this one needs it for itself: stop the other one first",
        process.map(|id| format!(" ({id})")).unwrap_or_default()
    )]
    InUse { process: Option<u32> },
    #[error(
        "another process has it for itself: an earlier version that serves, or `facteur restored`; stop it, or wait for its end"
    )]
    Reserved,
    #[error(
        "its schema has version {found}, and this version of Facteur knows {known}: it can work beside the next version only; \
         use the newer one"
    )]
    TooNew { found: i64, known: i64 },
    #[error(
        "it holds a copy that is not finished: run the same `facteur database copy` again (it goes on where it stopped), or \
         use an empty database"
    )]
    UnfinishedCopy,
    #[error(
        "it is a backup that was restored, or a copy that was made by other means: what waits in it may have been sent since. \
         Run `facteur restored` first, and `facteur restored --help` tells what it can do"
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

/// Whether a database's own code is about a value that it was given.
fn is_about_a_value(code: &str) -> bool {
    /// `SQLITE_TOOBIG`.
    const TOO_BIG: &str = "18";
    /// PostgreSQL: data exceptions, and limits of the program (an index entry that is too large). SQLite's codes are shorter.
    const CLASSES: [&str; 2] = ["22", "54"];
    code == TOO_BIG || (code.len() == 5 && CLASSES.iter().any(|class| code.starts_with(class)))
}

impl StoreError {
    /// Whether one value or row is at fault, and others can be written.
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

    /// Logs the failure where it is handled. The result is all that a page says of it.
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
