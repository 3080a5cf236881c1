//! Server side. Everything sealed, page by page, for key rotation.

use app::profile::model::ProfileId;
use async_trait::async_trait;
use const_format::formatcp;
use uuid::Uuid;

use super::{SqliteStore, logins, rows::PROFILE, transaction::begin};
use crate::store::codec::{messages::sealed_content, profiles::profile_of_account};
use crate::store::{AccountProfile, SealedSecret, SealedStore, StoreError, outbox::SealedContent};

#[async_trait]
impl SealedStore for SqliteStore {
    async fn canary(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM canary WHERE id = 1").fetch_optional(&self.pool).await?)
    }

    async fn set_canary(&self, sealed: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO canary (id, sealed) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(sealed)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Result<Vec<AccountProfile>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT portal, account, {PROFILE} FROM profile WHERE id > ? AND secret IS NOT NULL AND portal <> '' ORDER BY id LIMIT ?"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(SQL).bind(after).bind(limit).fetch_all(&self.pool).await?;
        rows.iter().map(profile_of_account).collect()
    }

    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let counted: Option<Vec<u8>> = sqlx::query_scalar("SELECT login_key FROM profile WHERE id = ? AND secret = ?")
            .bind(id.to_string())
            .bind(old)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(counted) = counted else { return Ok(false) };
        logins::rename(&mut transaction, &counted, &new.login_key).await?;
        sqlx::query("UPDATE profile SET secret = ?, login_key = ? WHERE id = ?")
            .bind(&new.sealed)
            .bind(&new.login_key[..])
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<SealedContent>, StoreError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT message.id, message.portal, message.account, content.sealed
             FROM content JOIN message ON message.id = content.message
             WHERE content.message > ? ORDER BY content.message LIMIT ?",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(sealed_content).collect()
    }

    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let replaced = sqlx::query("UPDATE content SET sealed = ? WHERE message = ? AND sealed = ?")
            .bind(new)
            .bind(id.to_string())
            .bind(old);
        Ok(replaced.execute(&self.writer).await?.rows_affected() == 1)
    }
}
