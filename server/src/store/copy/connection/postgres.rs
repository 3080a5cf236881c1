//! A PostgreSQL database as source or target of a copy.

use futures::{StreamExt, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgRow},
};

use super::{
    super::{
        super::StoreError,
        row::{Cell, Columns, Kind, Row},
        tables::Table,
    },
    CREATE_PROGRESS, TableProgress, Version, wrong,
};

/// A table is read with one statement, however long it takes. Commits reach the disk.
const SETTINGS: &str = "SET statement_timeout = 0; SET idle_session_timeout = 0; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s'; SET default_transaction_isolation = 'read committed';
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'";

pub struct PostgresEnd {
    connection: PgConnection,
}

impl PostgresEnd {
    pub async fn connect(options: &PgConnectOptions, read_only: bool) -> Result<Self, StoreError> {
        let named = options.get_application_name().is_some();
        let options = if named { options.clone() } else { options.clone().application_name("facteur database") };
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        if read_only {
            sqlx::raw_sql("SET default_transaction_read_only = on").execute(&mut connection).await?;
        }
        Ok(Self { connection })
    }

    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }

    pub async fn number(&mut self, sql: String) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await?)
    }

    pub async fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
        Ok(sqlx::query_scalar(tables).fetch_all(&mut self.connection).await?)
    }

    pub async fn version(&mut self) -> Result<Option<Version>, StoreError> {
        if !self.tables().await?.iter().any(|name| name == "_sqlx_migrations") {
            return Ok(None);
        }
        let row: (Option<i64>, bool) =
            sqlx::query_as("SELECT max(version), coalesce(bool_or(NOT success), FALSE) FROM _sqlx_migrations")
                .fetch_one(&mut self.connection)
                .await?;
        Ok(row.0.map(|applied| Version { applied, halfway: row.1 }))
    }

    pub async fn columns(&mut self, table: &str) -> Result<Columns, StoreError> {
        let columns: Vec<(String, String)> = sqlx::query_as(
            r#"SELECT column_name::text, data_type::text FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'
               ORDER BY column_name COLLATE "C""#,
        )
        .bind(table)
        .fetch_all(&mut self.connection)
        .await?;
        let kind = |of: &str| match of {
            "bigint" => Some(Kind::Number),
            "text" => Some(Kind::Text),
            "bytea" => Some(Kind::Bytes),
            "boolean" => Some(Kind::Flag),
            _ => None,
        };
        let known = columns.into_iter().map(|(name, of)| match kind(&of) {
            Some(kind) => Ok((name, kind)),
            None => Err(StoreError::Rejected(sqlx::Error::Decode(format!("{table}.{name} is of type {of}").into()))),
        });
        Ok(Columns(known.collect::<Result<_, _>>()?))
    }

    pub fn read<'a>(
        &'a mut self,
        sql: impl Fn(Option<String>) -> String,
        columns: &'a Columns,
        after: Option<Row>,
        kinds: Vec<Kind>,
    ) -> BoxStream<'a, Result<Row, StoreError>> {
        let marks = after.as_ref().map(|key| {
            let marks: Vec<_> = (1..=key.len()).map(|number| format!("${number}")).collect();
            marks.join(", ")
        });
        let mut query = sqlx::query(AssertSqlSafe(sql(marks)));
        for (cell, kind) in after.unwrap_or_default().into_iter().zip(kinds) {
            query = match cell {
                Cell::Null => query.bind(None::<i64>),
                Cell::Number(number) if kind == Kind::Flag => query.bind(number != 0),
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

    pub async fn wait_for_writers(&mut self) -> Result<(), StoreError> {
        sqlx::raw_sql("BEGIN; LOCK TABLE _copy IN ACCESS EXCLUSIVE MODE; COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn begin_copy(&mut self, source: &str) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql(CREATE_PROGRESS).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO _copy (name, rows, last, done) VALUES ('', 0, $1, 0)")
            .bind(source)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub async fn discard_copy(&mut self) -> Result<(), StoreError> {
        let tables = self.tables().await?;
        let ours = super::super::TABLES.iter().filter(|table| tables.iter().any(|name| name == table.name));
        let ours: Vec<_> = ours.map(|table| format!("\"{}\"", table.name)).collect();
        let mut transaction = self.connection.begin().await?;
        // No trigger runs, and no row is visited.
        let truncate = format!("TRUNCATE {}", ours.join(", "));
        sqlx::query(AssertSqlSafe(truncate)).execute(&mut *transaction).await?;
        sqlx::raw_sql("DROP TABLE _copy").execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    pub async fn finish_copy(&mut self) -> Result<(), StoreError> {
        // The planner has no statistics about the rows yet.
        for table in super::super::TABLES {
            sqlx::query(AssertSqlSafe(format!("ANALYZE \"{}\"", table.name))).execute(&mut self.connection).await?;
        }
        sqlx::raw_sql("DROP TABLE _copy").execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn begin_table(&mut self, table: &Table) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin().await?;
        let clear = format!("DELETE FROM \"{}\"", table.name);
        sqlx::query(AssertSqlSafe(clear)).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO _copy (name, rows, done) VALUES ($1, 0, 0)")
            .bind(table.name)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub async fn end_table(&mut self, table: &Table) -> Result<(), StoreError> {
        sqlx::query("UPDATE _copy SET done = 1 WHERE name = $1").bind(table.name).execute(&mut self.connection).await?;
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
        let given = columns.0.iter().enumerate().map(|(at, (_, kind))| {
            let of = match kind {
                Kind::Number => "bigint",
                Kind::Text => "text",
                Kind::Bytes => "bytea",
                Kind::Flag => "boolean",
            };
            format!("${}::{of}[]", at + 1)
        });
        let given: Vec<_> = given.collect();
        let sql =
            format!("INSERT INTO \"{}\" ({}) SELECT * FROM unnest({})", table.name, columns.list(), given.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (at, (name, kind)) in columns.0.iter().enumerate() {
            query = match kind {
                Kind::Number => query.bind(column(table, name, (rows, at), |cell| match cell {
                    Cell::Number(number) => Some(*number),
                    _ => None,
                })?),
                Kind::Text => query.bind(column(table, name, (rows, at), |cell| match cell {
                    Cell::Text(text) => Some(text.as_str()),
                    _ => None,
                })?),
                Kind::Bytes => query.bind(column(table, name, (rows, at), |cell| match cell {
                    Cell::Bytes(bytes) => Some(bytes.as_slice()),
                    _ => None,
                })?),
                Kind::Flag => query.bind(column(table, name, (rows, at), |cell| match cell {
                    Cell::Number(number @ (0 | 1)) => Some(*number == 1),
                    _ => None,
                })?),
            };
        }
        let mut transaction = self.connection.begin().await?;
        query.execute(&mut *transaction).await?;
        let noted = sqlx::query("UPDATE _copy SET rows = $1, last = $2 WHERE name = $3 AND rows = $4 AND done = 0")
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
        sqlx::query(super::super::super::postgres::MARK).execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn canary(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM canary").fetch_optional(&mut self.connection).await?)
    }
}

/// One column of the rows, whose cells have one type.
fn column<'a, T>(
    table: &Table,
    name: &str,
    (rows, at): (&'a [Row], usize),
    of: impl Fn(&'a Cell) -> Option<T>,
) -> Result<Vec<Option<T>>, StoreError> {
    let cell = |row: &'a Row| match row.get(at) {
        None | Some(Cell::Null) => Ok(None),
        Some(cell) => of(cell).map(Some).ok_or_else(|| wrong(table, name, cell)),
    };
    rows.iter().map(cell).collect()
}

fn cells(row: &PgRow, columns: &Columns) -> Result<Row, StoreError> {
    let cell = |(at, (_, kind)): (usize, &(String, Kind))| {
        Ok(match kind {
            Kind::Number => row.try_get::<Option<i64>, _>(at)?.map_or(Cell::Null, Cell::Number),
            Kind::Flag => row.try_get::<Option<bool>, _>(at)?.map_or(Cell::Null, |flag| Cell::Number(flag.into())),
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Cell::Null, Cell::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    columns.0.iter().enumerate().map(cell).collect()
}
