//! Server side. The accounts' histories.

use app::{journal::model::Entry, session::AccountId};
use async_trait::async_trait;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::{PostgresStore, limit};
use crate::store::{JournalStore, StoreError, codec::encode, retention::Cutoffs};

#[async_trait]
impl JournalStore for PostgresStore {
    async fn note_refusal(&self, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        note(&mut connection, account, entry).await
    }

    async fn journal(&self, account: &AccountId, before: Option<Uuid>, most: u32) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, content FROM journal WHERE portal = $1 AND account = $2 AND ($3::text IS NULL OR id < $3)
             ORDER BY id DESC LIMIT $4",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(before.map(|id| id.to_string()))
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let wrong = |row| StoreError::Inconsistent { table: "journal", column: "content", row };
                let (id, content): (String, String) = (row.try_get("id")?, row.try_get("content")?);
                serde_json::from_str(&content).map_err(|_| wrong(id))
            })
            .collect()
    }
}

/// Adds an entry, in the transaction of the change.
pub(super) async fn note(connection: &mut PgConnection, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO journal (id, portal, account, at, person, content) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(entry.id.to_string())
        .bind(&account.portal)
        .bind(&account.account)
        .bind(entry.at.as_millisecond())
        .bind(&entry.person)
        .bind(encode("journal", "content", entry)?)
        .execute(connection)
        .await?;
    Ok(())
}

const SWEEP: &str = "DELETE FROM journal WHERE ctid = ANY (ARRAY
     (SELECT ctid FROM journal WHERE at < $1 LIMIT 500 FOR UPDATE SKIP LOCKED))";

pub(super) async fn sweep(pool: &PgPool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.journal.as_millisecond()).execute(pool).await?;
    Ok(())
}
