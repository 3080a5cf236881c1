//! Server side. Rows that cannot be decoded: set aside once, so that they neither fail nor delay what reads them.

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

pub(super) use crate::store::codec::quarantine::{Damaged, readable};

use super::{SqliteStore, events, rows::encode, transaction::begin};
use crate::store::{
    QuarantineStore, StoreError,
    codec::quarantine::{FOR_EVER, quarantined},
    outbox::{MessageState, NewEvent, Quarantined},
};

#[async_trait]
impl QuarantineStore for SqliteStore {
    async fn newly_quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError> {
        let rows = sqlx::query("SELECT kind, row, field, portal, account FROM quarantine WHERE told = 0 LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(quarantined).collect()
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
                let leave = "UPDATE message SET state = ?1, lease_owner = NULL, lease_until = NULL WHERE id = ?2";
                let leave = sqlx::query(leave).bind(MessageState::Quarantined.as_str()).bind(row);
                leave.execute(&mut *connection).await?;
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
