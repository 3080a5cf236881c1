//! Server side. Writes what the owner sets, and keeps one profile of each owner in use.

use app::{
    diagnosis::cause::Cause,
    profile::{
        mechanism::Mechanism,
        model::{ProfileId, Settings},
        port::Heir,
        sending::SendingOptions,
    },
    session::AccountId,
};
use const_format::formatcp;
use sqlx::{Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::super::{
    logins,
    rows::{PROFILE, profile},
};
use crate::store::{ProfileRow, StoreError, best_heir};

/// Binds what the owner sets in the order of the statements below.
pub(super) fn bind_settings<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    row: &'q ProfileRow,
) -> Query<'q, Sqlite, SqliteArguments> {
    let Settings { preset, user, destination, sender_name, sender_address, reply_to } = &row.settings;
    let SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback } = row.sending;
    query
        .bind(user)
        .bind(preset)
        .bind(&destination.host)
        .bind(destination.port)
        .bind(destination.security.as_str())
        .bind(&destination.login)
        .bind(destination.mechanism.map(Mechanism::name))
        .bind(sender_name)
        .bind(sender_address.as_str())
        .bind(reply_to.as_ref().map(|address| address.as_str().to_owned()))
        .bind(row.encoding.as_str())
        .bind(row.secret.as_ref().map(|secret| &secret.sealed))
        .bind(row.secret.as_ref().map(|secret| secret.changed_at.as_millisecond()))
        .bind(row.secret.as_ref().map(|secret| &secret.login_key[..]))
        .bind(max_connections)
        .bind(per_minute)
        .bind(per_day)
        .bind(check_hourly)
        .bind(fallback)
}

/// Puts a profile of this owner in use where none of the owner's is; whether it did.
pub(super) async fn take_if_free(
    connection: &mut SqliteConnection,
    account: &AccountId,
    user: Option<&str>,
    id: ProfileId,
) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "UPDATE profile SET in_use = 1
         WHERE id = ?4 AND portal = ?1 AND account = ?2 AND user IS ?3
           AND NOT EXISTS (SELECT 1 FROM profile
                           WHERE portal = ?1 AND account = ?2 AND ifnull(user, '') = ifnull(?3, '') AND user IS ?3
                             AND in_use = 1)",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(user)
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// An owner's profile in use was deleted: another one replaces it, or none. `false`: the chosen one does not exist.
pub(super) async fn hand_over(
    connection: &mut SqliteConnection,
    account: &AccountId,
    user: Option<&str>,
    heir: Heir,
) -> Result<bool, StoreError> {
    const SQL: &str =
        formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ?1 AND account = ?2 AND user IS ?3 ORDER BY id");
    let id = match heir {
        Heir::Nobody => None,
        Heir::One(id) => Some(id),
        Heir::Best => {
            let rows = sqlx::query(SQL)
                .bind(&account.portal)
                .bind(&account.account)
                .bind(user)
                .fetch_all(&mut *connection)
                .await?;
            best_heir(&rows.iter().map(profile).collect::<Result<Vec<_>, _>>()?)
        }
    };
    match id {
        Some(id) => Ok(take_if_free(connection, account, user, id).await? || heir == Heir::Best),
        None => Ok(true),
    }
}

/// Writes what the owner sets.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    account: &AccountId,
    before: &ProfileRow,
    after: &ProfileRow,
) -> Result<(), StoreError> {
    let new_owner = before.settings.user != after.settings.user;
    let update = sqlx::query(
        "UPDATE profile SET user = ?, preset = ?, host = ?, port = ?, security = ?, login = ?, mechanism = ?,
             sender_name = ?, sender_address = ?, reply_to = ?, encoding = ?, secret = ?, secret_changed_at = ?,
             login_key = ?, max_connections = ?, per_minute = ?, per_day = ?, check_hourly = ?, fallback = ?, failures = ?,
             failing_cause = ?, in_use = ?, revision = ?
         WHERE id = ?",
    );
    bind_settings(update, after)
        .bind(after.health.failures)
        .bind(after.health.failing_cause.map(Cause::as_str))
        .bind(before.in_use && !new_owner)
        .bind(after.revision_after(before))
        .bind(before.id.to_string())
        .execute(&mut *connection)
        .await?;
    if let Some(secret) = after.secret.as_ref().filter(|_| after.secret_refusals == 0) {
        logins::forgive(connection, &secret.login_key).await?;
    }
    if before.in_use && new_owner {
        hand_over(connection, account, before.settings.user.as_deref(), Heir::Best).await?;
    }
    take_if_free(connection, account, after.settings.user.as_deref(), before.id).await?;
    Ok(())
}
