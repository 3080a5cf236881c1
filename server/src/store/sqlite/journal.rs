//! Server side. The accounts' histories.

use app::{journal::model::Entry, session::AccountId};
use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{SqliteStore, rows::encode, transaction::begin};
use crate::store::{JournalStore, StoreError, retention::Cutoffs};

#[async_trait]
impl JournalStore for SqliteStore {
    async fn note_refusal(&self, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        note(&mut transaction, account, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn journal(&self, account: &AccountId, before: Option<Uuid>, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, content FROM journal WHERE portal = ?1 AND account = ?2 AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(before.map(|id| id.to_string()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let content: String = row.try_get("content")?;
                let id = Uuid::try_parse(&row.try_get::<String, _>("id")?).unwrap_or_default();
                serde_json::from_str(&content).map_err(|_| inconsistent(&id))
            })
            .collect()
    }
}

fn inconsistent(id: &Uuid) -> StoreError {
    StoreError::Inconsistent { table: "journal", column: "content", row: id.to_string() }
}

/// Adds an entry, in the transaction of the change.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    account: &AccountId,
    entry: &Entry,
) -> Result<(), StoreError> {
    let content = encode("journal", "content", entry)?;
    sqlx::query("INSERT INTO journal (id, portal, account, at, person, content) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(entry.id.to_string())
        .bind(&account.portal)
        .bind(&account.account)
        .bind(entry.at.as_millisecond())
        .bind(&entry.person)
        .bind(content)
        .execute(connection)
        .await?;
    Ok(())
}

/// A bounded number of rows, as for sessions.
pub(super) const SWEEP: &str = "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at < ? LIMIT 500)";

pub(super) async fn sweep(pool: &SqlitePool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.journal.as_millisecond()).execute(pool).await?;
    Ok(())
}
