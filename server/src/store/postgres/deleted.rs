//! Server side. Profiles that were deleted a moment ago: rows of no portal.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{
    PostgresStore,
    transaction::{lock_account, transaction},
};
use crate::store::{
    DeletedStore, EntryFor, ProfileRow, RestoreRequest, Restored, StoreError,
    codec::profiles::{PROFILE, deleted},
    deleted::DeletedProfile,
    flow::deleted::{self as flow, DeletedStatements},
};

const DELETED: &str = formatcp!(
    "SELECT {PROFILE}, deleted_in_use, deleted_successor FROM profile
         WHERE portal = '' AND account = $1 AND id = $2 AND deleted_portal = $3 AND deleted_session = $4
             AND deleted_until > $5"
);

#[async_trait]
impl DeletedStore for PostgresStore {
    async fn deleted_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
    ) -> Result<Option<ProfileRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(find(&mut connection, DELETED, account, id, request).await?.map(|deleted| deleted.row))
    }

    async fn restore_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
        most: u32,
        entry_for: &EntryFor<'_>,
    ) -> Result<Restored, StoreError> {
        transaction!(self, transaction, {
            lock_account(&mut transaction, account).await?;
            let ended = flow::restore(&mut *transaction, account, id, request, most, entry_for).await?;
            transaction.end(ended).await
        })
    }

    async fn forget_deleted(&self, now: Timestamp) -> Result<u64, StoreError> {
        let gone = sqlx::query("DELETE FROM profile WHERE portal = '' AND deleted_until <= $1");
        Ok(gone.bind(now.as_millisecond()).execute(&self.pool).await?.rows_affected())
    }
}

async fn find(
    connection: &mut PgConnection,
    sql: &'static str,
    account: &AccountId,
    id: ProfileId,
    request: RestoreRequest<'_>,
) -> Result<Option<DeletedProfile>, StoreError> {
    let row = sqlx::query(sql)
        .bind(&account.account)
        .bind(id.to_string())
        .bind(&account.portal)
        .bind(&request.session[..])
        .bind(request.at.as_millisecond())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(deleted).transpose()
}

#[async_trait]
impl DeletedStatements for PgConnection {
    async fn locked_deleted(
        &mut self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
    ) -> Result<Option<DeletedProfile>, StoreError> {
        find(self, formatcp!("{DELETED} FOR UPDATE OF profile"), account, id, request).await
    }

    async fn take_back(&mut self, id: ProfileId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE profile SET portal = deleted_portal, deleted_portal = NULL, deleted_session = NULL, deleted_until = NULL,
             deleted_in_use = FALSE, deleted_successor = NULL
         WHERE id = $1",
        )
        .bind(id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(())
    }
}
