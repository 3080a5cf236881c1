//! Server side. Why a copy was refused, or failed.

use super::super::StoreError;

/// Why a database is not copied. No message contains a password: databases are named without it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{0} does not exist")]
    Missing(String),
    #[error("{0} is not a Facteur database")]
    Foreign(String),
    #[error("the source and the target are the same database")]
    Same,
    #[error(
        "{place} has version {found} of the tables, and this program has version {newest}: upgrade it first, with \
         `facteur config check` of this program and a configuration that names it"
    )]
    Older { place: String, found: i64, newest: i64 },
    #[error(
        "{place} has version {found} of the tables, and this program only knows version {newest}: use the program that \
         serves from it, or a later one"
    )]
    Newer { place: String, found: i64, newest: i64 },
    #[error("a migration of {0} did not finish: run `facteur config check` with a configuration that names it")]
    Halfway(String),
    #[error("{place} is not empty: there are rows in {table}. A copy needs a database without accounts or messages")]
    NotEmpty { place: String, table: &'static str },
    #[error(
        "{0} holds an unfinished copy of another database, or of this one before its key was changed: add --restart to \
         discard it"
    )]
    OtherSource(String),
    #[error(
        "{0} holds an unfinished copy that another version of this program began: use that version, or add --restart to \
         discard it"
    )]
    OtherVersion(String),
    #[error("{0} holds an unfinished copy: finish it first")]
    Unfinished(String),
    #[error("{place}: {rows} rows of {table} belong to a row of {parent} that is gone: delete or repair them first")]
    Orphans { place: String, table: String, parent: String, rows: usize },
    #[error("another process uses {place}: stop it first")]
    InUse {
        place: String,
        #[source]
        source: StoreError,
    },
    #[error("the tables of the source and the target differ: {0}")]
    Schema(String),
    #[error("cannot use the database {0}")]
    Store(String, #[source] StoreError),
    #[error("cannot copy a row of {table} with the key {key}")]
    Row {
        table: &'static str,
        key: String,
        #[source]
        source: StoreError,
    },
    #[error("another process is continuing this copy")]
    Overtaken,
    #[error("{0} was taken over by another process while it was copied: run the same command again")]
    LockLost(String),
    #[error("the copy differs from its source. Is something still writing to it? The same command tries again")]
    Differs,
    #[error("the two databases differ")]
    Different,
}

impl CopyError {
    /// Whether nothing was done, because it could not be done as requested.
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Store(..) | Self::Row { .. } | Self::Overtaken | Self::LockLost(_) | Self::Differs | Self::Different
        )
    }
}
