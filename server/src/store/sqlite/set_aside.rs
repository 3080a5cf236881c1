//! Server side. Sets rows aside that cannot be decoded. The readers of every table use it.

use sqlx::{SqliteConnection, SqlitePool};

use super::transaction::begin;
use crate::store::{
    StoreError,
    codec::quarantine::{Damaged, FOR_EVER},
    outbox::MessageState,
};

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
