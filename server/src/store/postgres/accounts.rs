//! Server side. Settings of accounts.

use app::{journal::model::Entry, sending_mode::model::SendingMode, session::AccountId};
use async_trait::async_trait;

use super::{
    PostgresStore, journal,
    transaction::{lock_account, transaction},
};
use crate::store::{AccountStore, StoreError};

#[async_trait]
impl AccountStore for PostgresStore {
    async fn sending_mode(&self, account: &AccountId) -> Result<Option<SendingMode>, StoreError> {
        let code: Option<String> =
            sqlx::query_scalar("SELECT sending_mode FROM account WHERE portal = $1 AND account = $2")
                .bind(&account.portal)
                .bind(&account.account)
                .fetch_optional(&self.pool)
                .await?;
        code.map(|code| {
            SendingMode::parse(&code).ok_or_else(|| StoreError::Inconsistent {
                table: "account",
                column: "sending_mode",
                row: account.account.clone(),
            })
        })
        .transpose()
    }

    async fn set_sending_mode(
        &self,
        account: &AccountId,
        mode: SendingMode,
        expected: Option<SendingMode>,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            lock_account(&mut transaction, account).await?;
            // An account without a row has the initial mode.
            let changed = sqlx::query(
                "INSERT INTO account (portal, account, sending_mode)
                 SELECT $1, $2, $3 WHERE $4::text IS NULL OR $4::text =
                     coalesce((SELECT sending_mode FROM account WHERE portal = $1 AND account = $2), $5::text)
                 ON CONFLICT (portal, account) DO UPDATE SET sending_mode = excluded.sending_mode",
            )
            .bind(&account.portal)
            .bind(&account.account)
            .bind(mode.as_str())
            .bind(expected.map(SendingMode::as_str))
            .bind(SendingMode::default().as_str())
            .execute(&mut *transaction)
            .await?;
            if changed.rows_affected() == 0 {
                return Ok(false);
            }
            journal::note(&mut transaction, account, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}
