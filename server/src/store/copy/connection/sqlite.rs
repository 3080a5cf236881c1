//! A SQLite file as source or target of a copy.

use std::{path::Path, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};

use super::{
    super::{
        super::StoreError,
        row::{Cell, Columns, Kind, Row},
        tables::{Rows, Table},
    },
    CREATE_PROGRESS, TableProgress, Version, wrong,
};

/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows that are read ahead: each may contain the files of a message.
const READ_AHEAD: usize = 4;
/// Most values in one statement (`SQLITE_MAX_VARIABLE_NUMBER` is 32,766).
const MOST_VALUES: usize = 2_000;

pub struct SqliteEnd {
    connection: SqliteConnection,
}

impl SqliteEnd {
    pub async fn connect(path: &Path, read_only: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(READ_AHEAD)
            .foreign_keys(true);
        let options = if read_only {
            // If a log was left beside the file, reading it needs a connection that may write.
            options.pragma("query_only", "ON")
        } else {
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("secure_delete", "ON")
        };
        Ok(Self { connection: options.connect().await? })
    }

    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }

    pub async fn number(&mut self, sql: String) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await?)
    }

    pub async fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        Ok(sqlx::query_scalar(tables).fetch_all(&mut self.connection).await?)
    }

    pub async fn version(&mut self) -> Result<Option<Version>, StoreError> {
        if !self.tables().await?.iter().any(|name| name == "_sqlx_migrations") {
            return Ok(None);
        }
        let row: (Option<i64>, i64) =
            sqlx::query_as("SELECT max(version), coalesce(sum(NOT success), 0) FROM _sqlx_migrations")
                .fetch_one(&mut self.connection)
                .await?;
        Ok(row.0.map(|applied| Version { applied, halfway: row.1 > 0 }))
    }

    pub async fn columns(&mut self, table: &str) -> Result<Columns, StoreError> {
        // Generated columns are hidden ones.
        let columns: Vec<(String, String)> =
            sqlx::query_as("SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY name")
                .bind(table)
                .fetch_all(&mut self.connection)
                .await?;
        let kind = |of: &str| match of {
            "INTEGER" => Some(Kind::Number),
            "TEXT" => Some(Kind::Text),
            "BLOB" => Some(Kind::Bytes),
            _ => None,
        };
        let known = columns.into_iter().map(|(name, of)| match kind(&of) {
            Some(kind) => Ok((name, kind)),
            None => Err(StoreError::Rejected(sqlx::Error::Decode(format!("{table}.{name} is of type {of}").into()))),
        });
        Ok(Columns(known.collect::<Result<_, _>>()?))
    }

    pub async fn orphans(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(2)?))).collect()
    }

    pub fn read<'a>(
        &'a mut self,
        sql: impl Fn(Option<String>) -> String,
        columns: &'a Columns,
        after: Option<Row>,
    ) -> BoxStream<'a, Result<Row, StoreError>> {
        let marks = after.as_ref().map(|key| vec!["?"; key.len()].join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql(marks)));
        for cell in after.unwrap_or_default() {
            query = match cell {
                Cell::Null => query.bind(None::<i64>),
                Cell::Number(number) => query.bind(number),
                Cell::Text(text) => query.bind(text),
                Cell::Bytes(bytes) => query.bind(bytes),
            };
        }
        query.fetch(&mut self.connection).map(|row| cells(&row?, columns)).boxed()
    }

    pub async fn progress(&mut self) -> Result<Vec<(String, TableProgress)>, StoreError> {
        if !self.tables().await?.iter().any(|name| name == "_copy") {
            return Ok(Vec::new());
        }
        let rows: Vec<(String, i64, Option<String>, bool)> =
            sqlx::query_as("SELECT name, rows, last, done <> 0 FROM _copy").fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(name, rows, last, done)| (name, TableProgress { rows, last, done })).collect())
    }

    pub async fn begin_copy(&mut self, source: &str) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql(CREATE_PROGRESS).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO _copy (name, rows, last, done) VALUES ('', 0, ?, 0)")
            .bind(source)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub async fn discard_copy(&mut self) -> Result<(), StoreError> {
        let tables = self.tables().await?;
        // Child rows are deleted with their parents.
        sqlx::raw_sql("PRAGMA foreign_keys = ON").execute(&mut self.connection).await?;
        let mut transaction = self.connection.begin().await?;
        for table in super::super::TABLES.iter().filter(|table| tables.iter().any(|name| name == table.name)) {
            sqlx::query(AssertSqlSafe(clear(table))).execute(&mut *transaction).await?;
        }
        sqlx::raw_sql("DROP TABLE _copy").execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    pub async fn finish_copy(&mut self) -> Result<(), StoreError> {
        sqlx::raw_sql("DROP TABLE _copy").execute(&mut self.connection).await?;
        // Moves the log into the file.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut self.connection).await?;
        Ok(())
    }

    pub async fn begin_table(&mut self, table: &Table) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        sqlx::query(AssertSqlSafe(clear(table))).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO _copy (name, rows, done) VALUES (?, 0, 0)")
            .bind(table.name)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub async fn end_table(&mut self, table: &Table) -> Result<(), StoreError> {
        sqlx::query("UPDATE _copy SET done = 1 WHERE name = ?").bind(table.name).execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn write(
        &mut self,
        table: &Table,
        columns: &Columns,
        rows: &[Row],
        before: i64,
        last: &str,
    ) -> Result<bool, StoreError> {
        let after = before + i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let row_marks = format!("({})", vec!["?"; columns.0.len()].join(", "));
        let at_once = (MOST_VALUES / columns.0.len()).max(1);
        let conflict =
            if table.rows == Rows::Sums { " ON CONFLICT DO UPDATE SET amount = excluded.amount" } else { "" };
        let mut transaction = self.connection.begin().await?;
        for group in rows.chunks(at_once) {
            let marks = vec![row_marks.as_str(); group.len()].join(", ");
            let sql = format!("INSERT INTO \"{}\" ({}) VALUES {marks}{conflict}", table.name, columns.list());
            // Keeps statements of other lengths out of the cache.
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(group.len() == at_once);
            for row in group {
                for (cell, (name, kind)) in row.iter().zip(&columns.0) {
                    let fits = matches!(
                        (cell, kind),
                        (Cell::Null, _)
                            | (Cell::Number(_), Kind::Number)
                            | (Cell::Text(_), Kind::Text)
                            | (Cell::Bytes(_), Kind::Bytes)
                    );
                    if !fits {
                        return Err(wrong(table, name, cell));
                    }
                    query = bind(query, cell);
                }
            }
            query.execute(&mut *transaction).await?;
        }
        let noted = sqlx::query("UPDATE _copy SET rows = ?, last = ? WHERE name = ? AND rows = ? AND done = 0")
            .bind(after)
            .bind(last)
            .bind(table.name)
            .bind(before)
            .execute(&mut *transaction)
            .await?;
        if noted.rows_affected() != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub async fn mark_as_backup(&mut self) -> Result<(), StoreError> {
        sqlx::query(super::super::super::sqlite::MARK).execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn canary(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM canary").fetch_optional(&mut self.connection).await?)
    }
}

/// The sums have a permanent row for each kind.
fn clear(table: &Table) -> String {
    match table.rows {
        Rows::Sums => format!("UPDATE \"{}\" SET amount = 0", table.name),
        _ => format!("DELETE FROM \"{}\"", table.name),
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn bind<'q>(query: Query<'q>, cell: &'q Cell) -> Query<'q> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Number(number) => query.bind(*number),
        Cell::Text(text) => query.bind(text.as_str()),
        Cell::Bytes(bytes) => query.bind(bytes.as_slice()),
    }
}

fn cells(row: &SqliteRow, columns: &Columns) -> Result<Row, StoreError> {
    let cell = |(at, (_, kind)): (usize, &(String, Kind))| {
        Ok(match kind {
            Kind::Number | Kind::Flag => row.try_get::<Option<i64>, _>(at)?.map_or(Cell::Null, Cell::Number),
            // Read as bytes: a damaged row may not be UTF-8.
            Kind::Text => row.try_get_unchecked::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Null, |text| Cell::text(&text)),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    columns.0.iter().enumerate().map(cell).collect()
}
