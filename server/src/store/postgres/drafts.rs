//! Server side. Forms that were filled in and not saved yet.

use app::{profile::draft::KeptDraft, session::Person};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;

use super::{PostgresStore, limit, transaction::transaction};
use crate::store::{DraftStore, MOST_DRAFTS, StoreError, codec::encode, retention::Cutoffs};

#[async_trait]
impl DraftStore for PostgresStore {
    async fn keep_draft(&self, person: &Person, draft: &KeptDraft, now: Timestamp) -> Result<(), StoreError> {
        let Person { account, id } = person;
        let json = encode("draft", "content", draft)?;
        transaction!(self, transaction, {
            sqlx::query(
                "INSERT INTO draft (portal, account, person, form, content, kept_at) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (portal, account, person, form)
                 DO UPDATE SET content = excluded.content, kept_at = excluded.kept_at",
            )
            .bind(&account.portal)
            .bind(&account.account)
            .bind(id)
            .bind(&draft.form)
            .bind(&json)
            .bind(now.as_millisecond())
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "WITH own AS MATERIALIZED (SELECT form, kept_at FROM draft WHERE portal = $1 AND account = $2 AND person = $3)
                 DELETE FROM draft WHERE portal = $1 AND account = $2 AND person = $3 AND form NOT IN
                     (SELECT form FROM own ORDER BY kept_at DESC, form LIMIT $4)",
            )
            .bind(&account.portal)
            .bind(&account.account)
            .bind(id)
            .bind(limit(MOST_DRAFTS))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    async fn drafts(&self, person: &Person, since: Timestamp) -> Result<Vec<KeptDraft>, StoreError> {
        let contents: Vec<String> = sqlx::query_scalar(
            "SELECT content FROM draft WHERE portal = $1 AND account = $2 AND person = $3 AND kept_at >= $4
             ORDER BY kept_at DESC, form",
        )
        .bind(&person.account.portal)
        .bind(&person.account.account)
        .bind(&person.id)
        .bind(since.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        let wrong = || StoreError::Inconsistent { table: "draft", column: "content", row: "…".to_owned() };
        contents.iter().map(|json| serde_json::from_str(json).map_err(|_| wrong())).collect()
    }

    async fn forget_draft(&self, person: &Person, form: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM draft WHERE portal = $1 AND account = $2 AND person = $3 AND form = $4")
            .bind(&person.account.portal)
            .bind(&person.account.account)
            .bind(&person.id)
            .bind(form)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

const SWEEP: &str = "DELETE FROM draft WHERE ctid = ANY (ARRAY
     (SELECT ctid FROM draft WHERE kept_at < $1 LIMIT 500 FOR UPDATE SKIP LOCKED))";

pub(super) async fn sweep(pool: &PgPool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.drafts.as_millisecond()).execute(pool).await?;
    Ok(())
}
