//! Server side. Forms that were filled in and not saved yet.

use app::{profile::draft::KeptDraft, session::Person};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqlitePool;

use super::{SqliteStore, rows::encode, transaction::begin};
use crate::store::{DraftStore, MOST_DRAFTS, StoreError, retention::Cutoffs};

#[async_trait]
impl DraftStore for SqliteStore {
    async fn keep_draft(&self, person: &Person, draft: &KeptDraft, now: Timestamp) -> Result<(), StoreError> {
        let Person { account, id } = person;
        let json = encode("draft", "content", draft)?;
        let mut transaction = begin(&self.writer).await?;
        sqlx::query(
            "INSERT INTO draft (portal, account, person, form, content, kept_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (portal, account, person, form)
             DO UPDATE SET content = excluded.content, kept_at = excluded.kept_at",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id)
        .bind(&draft.form)
        .bind(json)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM draft WHERE portal = ?1 AND account = ?2 AND person = ?3 AND form NOT IN
                 (SELECT form FROM draft WHERE portal = ?1 AND account = ?2 AND person = ?3
                  ORDER BY kept_at DESC, form LIMIT ?4)",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id)
        .bind(MOST_DRAFTS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn drafts(&self, person: &Person, since: Timestamp) -> Result<Vec<KeptDraft>, StoreError> {
        let contents: Vec<String> = sqlx::query_scalar(
            "SELECT content FROM draft WHERE portal = ? AND account = ? AND person = ? AND kept_at >= ?
             ORDER BY kept_at DESC, form",
        )
        .bind(&person.account.portal)
        .bind(&person.account.account)
        .bind(&person.id)
        .bind(since.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        contents.iter().map(|json| serde_json::from_str(json).map_err(|_| inconsistent("…"))).collect()
    }

    async fn forget_draft(&self, person: &Person, form: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM draft WHERE portal = ? AND account = ? AND person = ? AND form = ?")
            .bind(&person.account.portal)
            .bind(&person.account.account)
            .bind(&person.id)
            .bind(form)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn inconsistent(form: &str) -> StoreError {
    StoreError::Inconsistent { table: "draft", column: "content", row: form.to_owned() }
}

pub(super) const SWEEP: &str = "DELETE FROM draft WHERE (portal, account, person, form) IN
     (SELECT portal, account, person, form FROM draft WHERE kept_at < ? LIMIT 500)";

pub(super) async fn sweep(pool: &SqlitePool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.drafts.as_millisecond()).execute(pool).await?;
    Ok(())
}
