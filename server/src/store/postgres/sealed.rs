//! Server side. Everything sealed, page by page, for key rotation.

use app::profile::model::ProfileId;
use async_trait::async_trait;
use const_format::formatcp;
use uuid::Uuid;

use super::{
    PostgresStore, limit, logins,
    transaction::{lock_logins, transaction},
};
use crate::store::{
    AccountProfile, SealedSecret, SealedStore, StoreError,
    codec::{
        messages::sealed_content,
        profiles::{PROFILE, profile_of_account},
    },
    outbox::SealedContent,
};

#[async_trait]
impl SealedStore for PostgresStore {
    async fn canary(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM canary WHERE id = 1").fetch_optional(&self.pool).await?)
    }

    async fn set_canary(&self, sealed: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO canary (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn secrets(&self, after: Option<ProfileId>, most: u32) -> Result<Vec<AccountProfile>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT portal, account, {PROFILE} FROM profile WHERE id > $1 AND secret IS NOT NULL AND portal <> '' ORDER BY id LIMIT $2"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(SQL).bind(after).bind(limit(most)).fetch_all(&self.pool).await?;
        rows.iter().map(profile_of_account).collect()
    }

    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let counted: Option<Option<Vec<u8>>> =
                sqlx::query_scalar("SELECT login_key FROM profile WHERE id = $1 AND secret = $2 FOR UPDATE")
                    .bind(id.to_string())
                    .bind(old)
                    .fetch_optional(&mut *transaction)
                    .await?;
            let Some(counted) = counted.flatten() else { return Ok(false) };
            let before = <[u8; 32]>::try_from(counted.as_slice()).unwrap_or(new.login_key);
            lock_logins(&mut transaction, &[before, new.login_key]).await?;
            logins::rename(&mut transaction, &counted, &new.login_key).await?;
            sqlx::query("UPDATE profile SET secret = $1, login_key = $2 WHERE id = $3")
                .bind(&new.sealed)
                .bind(&new.login_key[..])
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn contents(&self, after: Option<Uuid>, most: u32) -> Result<Vec<SealedContent>, StoreError> {
        let rows = sqlx::query(
            "SELECT message.id, message.portal, message.account, content.sealed
             FROM content JOIN message ON message.id = content.message
             WHERE content.message > $1 AND message.id > $1 ORDER BY content.message LIMIT $2",
        )
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(sealed_content).collect()
    }

    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let replaced = sqlx::query("UPDATE content SET sealed = $1 WHERE message = $2 AND sealed = $3")
            .bind(new)
            .bind(id.to_string())
            .bind(old);
        Ok(replaced.execute(&self.pool).await?.rows_affected() == 1)
    }
}
