//! Server side. Profiles as they are found in a transaction.

use app::{profile::model::ProfileId, session::AccountId};
use const_format::formatcp;
use sqlx::SqliteConnection;

use super::super::set_aside::set_aside_on;
use crate::store::{
    ProfileRow, StoreError,
    codec::{
        profiles::{PROFILE, PROFILE_KEY, profile},
        quarantine::readable,
    },
};

pub(in crate::store::sqlite) async fn find_on(
    connection: &mut SqliteConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<ProfileRow>, StoreError> {
    const SQL: &str = formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ? AND account = ? AND id = ?");
    let query = sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(id.to_string());
    query.fetch_optional(connection).await?.as_ref().map(profile).transpose()
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
