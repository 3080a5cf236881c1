//! Server side. Source or target of a copy: a connection of its own, beside those of the store, which reads and writes
//! whole tables.

use std::path::PathBuf;

use futures::stream::BoxStream;
use sqlx::postgres::PgConnectOptions;

use super::{
    super::StoreError,
    row::{Cell, Columns, Row},
    tables::Table,
};

mod postgres;
mod sqlite;

pub use postgres::PostgresEnd;
pub use sqlite::SqliteEnd;

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Location {
    File(PathBuf),
    Server(Box<PgConnectOptions>),
}

/// A connection to it.
pub enum End {
    Sqlite(Box<SqliteEnd>),
    Postgres(Box<PostgresEnd>),
}

/// How many migrations a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub applied: i64,
    /// One of them did not finish.
    pub halfway: bool,
}

/// The progress of one table: a row of `_copy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProgress {
    pub rows: i64,
    /// The key of the last row, as JSON.
    pub last: Option<String>,
    pub done: bool,
}

/// Calls the same method for both kinds of database.
macro_rules! either {
    ($end:expr, $inner:ident => $call:expr) => {
        match $end {
            End::Sqlite($inner) => $call,
            End::Postgres($inner) => $call,
        }
    };
}

impl End {
    /// Connects to an existing database: does not create or migrate it.
    pub async fn connect(place: &Location, read_only: bool) -> Result<Self, StoreError> {
        Ok(match place {
            Location::File(path) => Self::Sqlite(Box::new(SqliteEnd::connect(path, read_only).await?)),
            Location::Server(options) => Self::Postgres(Box::new(PostgresEnd::connect(options, read_only).await?)),
        })
    }

    /// The newest version that this program knows.
    pub const fn newest(&self) -> i64 {
        match self {
            Self::Sqlite(_) => super::super::sqlite::newest(),
            Self::Postgres(_) => super::super::postgres::newest(),
        }
    }

    /// Every table, except for internal ones.
    pub async fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        either!(self, end => end.tables().await)
    }

    /// `None`: none of our migrations ever ran there.
    pub async fn version(&mut self) -> Result<Option<Version>, StoreError> {
        either!(self, end => end.version().await)
    }

    pub async fn columns(&mut self, table: &str) -> Result<Columns, StoreError> {
        either!(self, end => end.columns(table).await)
    }

    pub async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}", table.source());
        let count: i64 = either!(self, end => end.number(sql).await)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub async fn has_rows(&mut self, table: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM \"{table}\" LIMIT 1) AS one");
        Ok(either!(self, end => end.number(sql).await)? > 0)
    }

    /// Rows whose parent is gone, as (table, parent) for each. PostgreSQL has none: its checks cannot be switched off
    /// by accident.
    pub async fn orphans(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        match self {
            Self::Sqlite(end) => end.orphans().await,
            Self::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// The rows after this key, in the order of their keys.
    pub fn read<'a>(
        &'a mut self,
        table: &Table,
        columns: &'a Columns,
        after: Option<Row>,
    ) -> BoxStream<'a, Result<Row, StoreError>> {
        let key: Vec<_> = table.key.iter().map(|name| format!("\"{name}\"")).collect();
        let key = key.join(", ");
        let sql = |marks: Option<String>| {
            let condition = marks.map(|marks| format!("WHERE ({key}) > ({marks}) ")).unwrap_or_default();
            format!("SELECT {} FROM {} {condition}ORDER BY {key}", columns.list(), table.source())
        };
        match self {
            Self::Sqlite(end) => end.read(sql, columns, after),
            Self::Postgres(end) => {
                let kinds = table.key.iter().filter_map(|name| Some(columns.0[columns.position(name)?].1));
                end.read(sql, columns, after, kinds.collect())
            }
        }
    }

    /// The progress of each table; empty when no copy is running. The row without a name is the copy itself.
    pub async fn progress(&mut self) -> Result<Vec<(String, TableProgress)>, StoreError> {
        either!(self, end => end.progress().await)
    }

    /// Waits for the transaction of a process that was killed: PostgreSQL may still be committing it.
    pub async fn wait_for_writers(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(end) => end.wait_for_writers().await,
        }
    }

    /// Begins a copy of the source that has this mark.
    pub async fn begin_copy(&mut self, source: &str) -> Result<(), StoreError> {
        either!(self, end => end.begin_copy(source).await)
    }

    /// Deletes all copied rows, and the progress records.
    pub async fn discard_copy(&mut self) -> Result<(), StoreError> {
        either!(self, end => end.discard_copy().await)
    }

    /// The copy is complete: from now on a process may serve from the database.
    pub async fn finish_copy(&mut self) -> Result<(), StoreError> {
        either!(self, end => end.finish_copy().await)
    }

    /// Empties a table and records that its copy has begun.
    pub async fn begin_table(&mut self, table: &Table) -> Result<(), StoreError> {
        either!(self, end => end.begin_table(table).await)
    }

    /// Writes rows, and records the last of them. `before`: rows that were there. `false`: another process has
    /// continued meanwhile.
    pub async fn write(
        &mut self,
        table: &Table,
        columns: &Columns,
        rows: &[Row],
        before: i64,
        last: &str,
    ) -> Result<bool, StoreError> {
        either!(self, end => end.write(table, columns, rows, before, last).await)
    }

    /// Records that all rows of the table are copied.
    pub async fn end_table(&mut self, table: &Table) -> Result<(), StoreError> {
        either!(self, end => end.end_table(table).await)
    }

    /// Whether it is a backup for which `facteur restored` was not run yet.
    pub async fn is_backup(&mut self) -> Result<bool, StoreError> {
        let sql = match self {
            Self::Sqlite(_) => super::super::sqlite::IS_MARKED,
            Self::Postgres(_) => super::super::postgres::IS_MARKED,
        };
        Ok(either!(self, end => end.number(sql.to_owned()).await)? > 0)
    }

    /// Marks it as a backup.
    pub async fn mark_as_backup(&mut self) -> Result<(), StoreError> {
        either!(self, end => end.mark_as_backup().await)
    }

    /// The canary, which belongs to one installation.
    pub async fn canary(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, end => end.canary().await)
    }

    pub async fn close(self) -> Result<(), StoreError> {
        either!(self, end => end.close().await)
    }
}

/// An error about a value that this column cannot hold.
fn wrong(table: &Table, column: &str, cell: &Cell) -> StoreError {
    let what = match cell {
        Cell::Null => "nothing".to_owned(),
        Cell::Number(number) => format!("the number {number}"),
        Cell::Text(_) => "a text".to_owned(),
        Cell::Bytes(_) => "bytes".to_owned(),
    };
    StoreError::Rejected(sqlx::Error::Decode(format!("{}.{column} does not take {what}", table.name).into()))
}

/// The table with the progress of a running copy.
const CREATE_PROGRESS: &str = "CREATE TABLE _copy (
    name TEXT   NOT NULL PRIMARY KEY,
    rows BIGINT NOT NULL,
    last TEXT,
    done BIGINT NOT NULL
)";
