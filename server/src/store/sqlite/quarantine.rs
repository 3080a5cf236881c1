//! Server side. Rows that cannot be decoded: set aside once, so that they neither fail nor delay what reads them.

use app::session::AccountId;
use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{SqliteStore, events, rows::encode, transaction::begin};
use crate::store::{
    QuarantineStore, StoreError,
    outbox::{NewEvent, Quarantined},
};

#[async_trait]
impl QuarantineStore for SqliteStore {
    async fn newly_quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError> {
        let rows = sqlx::query("SELECT kind, row, field, portal, account FROM quarantine WHERE told = 0 LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let (portal, account) = (row.try_get("portal")?, row.try_get("account")?);
                Ok(Quarantined {
                    table: row.try_get("kind")?,
                    row: row.try_get("row")?,
                    column: row.try_get("field")?,
                    account: Option::zip(portal, account).map(|(portal, account)| AccountId { portal, account }),
                })
            })
            .collect()
    }

    async fn quarantine_told(&self, rows: &[Quarantined], told: &[NewEvent]) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let rows: Vec<_> = rows.iter().map(|Quarantined { table, row, .. }| (table, row)).collect();
        sqlx::query(
            "UPDATE quarantine SET told = 1 FROM json_each(?) AS given
             WHERE quarantine.kind = given.value ->> 0 AND quarantine.row = given.value ->> 1",
        )
        .bind(encode("quarantine", "row", &rows)?)
        .execute(&mut *transaction)
        .await?;
        events::insert(&mut transaction, told).await?;
        transaction.commit().await
    }
}

/// A row that cannot be decoded.
#[derive(Debug)]
pub(super) struct Damaged {
    /// Its table, and the column that identifies it there.
    key: (&'static str, &'static str),
    row: String,
    column: String,
}

impl Damaged {
    /// The row that an error is about; the error, where it is about something else.
    pub(super) fn of(
        key: (&'static str, &'static str),
        row: &SqliteRow,
        error: StoreError,
    ) -> Result<Self, StoreError> {
        let column = match &error {
            StoreError::Inconsistent { column, .. } => (*column).to_owned(),
            StoreError::Undecodable(sqlx::Error::ColumnDecode { index, .. }) => index.trim_matches('"').to_owned(),
            _ => return Err(error),
        };
        Ok(Self { key, row: row.try_get(key.1)?, column })
    }

    /// What a reader is told who needs this row.
    pub(super) fn error(&self) -> StoreError {
        StoreError::Inconsistent { table: self.key.0, column: "…", row: format!("{} ({})", self.row, self.column) }
    }
}

/// Those rows that can be decoded, and those that cannot.
pub(super) fn readable<T>(
    key: (&'static str, &'static str),
    rows: &[SqliteRow],
    decode: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<(Vec<T>, Vec<Damaged>), StoreError> {
    let (mut good, mut damaged) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match decode(row) {
            Ok(decoded) => good.push(decoded),
            Err(error) => damaged.push(Damaged::of(key, row, error)?),
        }
    }
    Ok((good, damaged))
}

/// Sets rows aside in a transaction of their own, if there are any.
pub(super) async fn set_aside(pool: &SqlitePool, damaged: &[Damaged]) -> Result<(), StoreError> {
    if damaged.is_empty() {
        return Ok(());
    }
    let mut transaction = begin(pool).await?;
    set_aside_on(&mut transaction, damaged).await?;
    transaction.commit().await
}

pub(super) async fn set_aside_on(connection: &mut SqliteConnection, damaged: &[Damaged]) -> Result<(), StoreError> {
    /// The end of the year 9999: until somebody looks at it.
    const FOR_EVER: i64 = 253_402_207_200_000;
    for Damaged { key: (table, id), row, column } in damaged {
        let account = if *table == "event" { "NULL" } else { "account" };
        let note = format!(
            "INSERT INTO quarantine (kind, row, field, portal, account)
             SELECT DISTINCT '{table}', ?1, ?2, portal, {account} FROM {table} WHERE {id} = ?1 ON CONFLICT DO NOTHING"
        );
        sqlx::query(sqlx::AssertSqlSafe(note)).bind(row).bind(column).execute(&mut *connection).await?;
        // Messages and lanes leave the queues; for the others it is enough to stand here.
        match *table {
            "message" => {
                sqlx::query(
                    "UPDATE message SET state = 'quarantined', lease_owner = NULL, lease_until = NULL WHERE id = ?",
                )
                .bind(row)
                .execute(&mut *connection)
                .await?;
            }
            "lane" => {
                sqlx::query("UPDATE lane SET rests_until = ? WHERE lane = ?")
                    .bind(FOR_EVER)
                    .bind(row)
                    .execute(&mut *connection)
                    .await?;
            }
            _ => {}
        }
    }
    Ok(())
}
