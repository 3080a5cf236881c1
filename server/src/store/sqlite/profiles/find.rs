//! Server side. Profiles as they are found in a transaction.

use app::{profile::model::ProfileId, session::AccountId};
use const_format::formatcp;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::super::quarantine::set_aside_on;
use crate::store::{
    ProfileRow, StoreError,
    codec::{
        profiles::{PROFILE, PROFILE_KEY, profile},
        quarantine::readable,
    },
};

async fn row_of(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<SqliteRow>, StoreError> {
    const SQL: &str = formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ? AND account = ? AND id = ?");
    let query = sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(id.to_string());
    Ok(query.fetch_optional(connection).await?)
}

pub(in crate::store::sqlite) async fn find_on(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<ProfileRow>, StoreError> {
    row_of(connection, account, id).await?.as_ref().map(profile).transpose()
}

/// The same for what does not need the row: one that cannot be decoded is set aside, and counts as none.
pub(in crate::store::sqlite) async fn find_readable(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<ProfileRow>, StoreError> {
    let row = row_of(&mut *connection, account, id).await?;
    let (mut found, damaged) = readable(PROFILE_KEY, row.as_slice(), profile)?;
    set_aside_on(connection, &damaged).await?;
    Ok(found.pop())
}

pub(super) async fn made_by(
    connection: &mut SqliteConnection,
    account: &AccountId,
    creation: &str,
) -> Result<Option<ProfileRow>, StoreError> {
    const SQL: &str = formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ? AND account = ? AND creation = ?");
    let row =
        sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(creation).fetch_optional(connection).await?;
    row.as_ref().map(profile).transpose()
}

/// What an owner has, the oldest first.
pub(super) async fn of_owner(
    connection: &mut SqliteConnection,
    account: &AccountId,
    user: Option<&str>,
) -> Result<Vec<ProfileRow>, StoreError> {
    const SQL: &str =
        formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ?1 AND account = ?2 AND user IS ?3 ORDER BY id");
    let query = sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(user);
    let (rows, damaged) = readable(PROFILE_KEY, &query.fetch_all(&mut *connection).await?, profile)?;
    set_aside_on(connection, &damaged).await?;
    Ok(rows)
}
