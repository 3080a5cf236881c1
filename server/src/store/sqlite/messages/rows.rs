//! Server side. Messages as they are read: one that cannot be decoded is set aside.

use sqlx::{SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::super::set_aside::set_aside;
use crate::store::{
    StoreError,
    codec::{
        messages::{self, known},
        without_nul,
    },
    outbox::{Inserted, StoredMessage},
};

pub(super) async fn by_key(
    connection: &mut SqliteConnection,
    portal: &str,
    key: &str,
    request_hash: &[u8; 32],
) -> Result<Option<Inserted>, StoreError> {
    let row = sqlx::query("SELECT id, request_hash FROM message WHERE portal = ? AND idempotency_key = ?")
        .bind(portal)
        .bind(without_nul(key))
        .fetch_optional(connection)
        .await?;
    row.map(|row| known(&row, request_hash)).transpose()
}

/// Rows for display: one that cannot be decoded is set aside, and shown as quarantined.
pub(super) async fn shown(writer: &SqlitePool, rows: &[SqliteRow]) -> Result<Vec<StoredMessage>, StoreError> {
    let (shown, damaged) = messages::shown(rows)?;
    set_aside(writer, &damaged).await?;
    Ok(shown)
}
