//! Server side. Profiles as they are found, and locked in a transaction.

use app::{profile::model::ProfileId, session::AccountId};
use const_format::formatcp;
use sqlx::PgConnection;

use super::super::set_aside::set_aside_on;
use crate::store::{
    ProfileRow, StoreError,
    codec::{
        profiles::{PROFILE, PROFILE_KEY, profile},
        quarantine::readable,
    },
};

/// The row, locked until this transaction ends.
pub(super) async fn find_locked(
    connection: &mut PgConnection,
    account: &AccountId,
    id: ProfileId,
) -> Result<Option<ProfileRow>, StoreError> {
    const SQL: &str =
        formatcp!("SELECT {PROFILE} FROM profile WHERE portal = $1 AND account = $2 AND id = $3 FOR UPDATE OF profile");
    let query = sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(id.to_string());
    query.fetch_optional(connection).await?.as_ref().map(profile).transpose()
}

pub(super) async fn made_by(
    connection: &mut PgConnection,
    account: &AccountId,
    creation: &str,
) -> Result<Option<ProfileRow>, StoreError> {
    const SQL: &str = formatcp!("SELECT {PROFILE} FROM profile WHERE portal = $1 AND account = $2 AND creation = $3");
    let row =
        sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(creation).fetch_optional(connection).await?;
    row.as_ref().map(profile).transpose()
}

/// What an owner has, the oldest first; the account is locked.
pub(super) async fn of_owner(
    connection: &mut PgConnection,
    account: &AccountId,
    user: Option<&str>,
) -> Result<Vec<ProfileRow>, StoreError> {
    const SQL: &str = formatcp!(
        "SELECT {PROFILE} FROM profile WHERE portal = $1 AND account = $2 AND \"user\" IS NOT DISTINCT FROM $3 ORDER BY id"
    );
    let query = sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(user);
    let (rows, damaged) = readable(PROFILE_KEY, &query.fetch_all(&mut *connection).await?, profile)?;
    set_aside_on(connection, &damaged).await?;
    Ok(rows)
}
