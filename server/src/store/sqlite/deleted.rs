//! Server side. Profiles that were deleted a moment ago: rows of no portal.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, journal,
    profiles::{begin, has_room, take_if_free},
};
use crate::store::{
    Aside, DeletedStore, EntryFor, ProfileRow, Restored, StoreError,
    codec::profiles::{PROFILE, profile},
};

#[async_trait]
impl DeletedStore for SqliteStore {
    async fn deleted_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        session: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<ProfileRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        find(&mut connection, account, id, (session, now)).await
    }

    async fn restore_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        asked: (&[u8; 32], Timestamp),
        most: u32,
        entry_for: &EntryFor<'_>,
    ) -> Result<Restored, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let Some(row) = find(&mut transaction, account, id, asked).await? else {
            return Ok(Restored::Gone);
        };
        if !has_room(&mut transaction, account, most).await? {
            return Ok(Restored::Full);
        }
        restore(&mut transaction, account, &row).await?;
        journal::note(&mut transaction, account, &entry_for(&row)).await?;
        transaction.commit().await?;
        Ok(Restored::Done)
    }

    async fn forget_deleted(&self, now: Timestamp) -> Result<u64, StoreError> {
        let gone = sqlx::query("DELETE FROM profile WHERE portal = '' AND deleted_until <= ?1");
        Ok(gone.bind(now.as_millisecond()).execute(&self.writer).await?.rows_affected())
    }
}

/// What this session may still restore.
async fn find(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
    (session, now): (&[u8; 32], Timestamp),
) -> Result<Option<ProfileRow>, StoreError> {
    const SQL: &str = formatcp!(
        "SELECT {PROFILE} FROM profile WHERE portal = '' AND account = ?1 AND id = ?2 AND deleted_portal = ?3
             AND deleted_session = ?4 AND deleted_until > ?5"
    );
    let row = sqlx::query(SQL)
        .bind(&account.account)
        .bind(id.to_string())
        .bind(&account.portal)
        .bind(&session[..])
        .bind(now.as_millisecond())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(profile).transpose()
}

/// Puts a profile aside: it is deleted for everybody but the session that may restore it.
pub(super) async fn put_aside(
    connection: &mut SqliteConnection,
    id: ProfileId,
    aside: Aside,
) -> Result<(), StoreError> {
    // The form that made it may make another one.
    sqlx::query(
        "UPDATE profile SET portal = '', deleted_portal = portal, deleted_session = ?1, deleted_until = ?2,
             deleted_in_use = in_use, in_use = 0, creation = NULL
         WHERE id = ?3",
    )
    .bind(&aside.session[..])
    .bind(aside.until.as_millisecond())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes who took over from a profile that was put aside.
pub(super) async fn note_successor(
    connection: &mut SqliteConnection,
    account: &AccountId,
    row: &ProfileRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE profile SET deleted_successor =
               (SELECT one.id FROM profile AS one
                WHERE one.portal = ?1 AND one.account = ?2 AND ifnull(one.user, '') = ifnull(?3, '')
                  AND one.user IS ?3 AND one.in_use = 1)
           WHERE id = ?4 AND portal = ''",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(&row.settings.user)
    .bind(row.id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn restore(connection: &mut SqliteConnection, account: &AccountId, row: &ProfileRow) -> Result<(), StoreError> {
    let (was_in_use, successor): (bool, Option<String>) =
        sqlx::query_as("SELECT deleted_in_use, deleted_successor FROM profile WHERE id = ?1")
            .bind(row.id.to_string())
            .fetch_one(&mut *connection)
            .await?;
    sqlx::query(
        "UPDATE profile SET portal = deleted_portal, deleted_portal = NULL, deleted_session = NULL, deleted_until = NULL,
             deleted_in_use = 0, deleted_successor = NULL
         WHERE id = ?1",
    )
    .bind(row.id.to_string())
    .execute(&mut *connection)
    .await?;
    if was_in_use {
        sqlx::query("UPDATE profile SET in_use = 0 WHERE id = ?1 AND portal = ?2 AND account = ?3 AND in_use = 1")
            .bind(successor)
            .bind(&account.portal)
            .bind(&account.account)
            .execute(&mut *connection)
            .await?;
        take_if_free(connection, account, row.settings.user.as_deref(), row.id).await?;
    }
    Ok(())
}
