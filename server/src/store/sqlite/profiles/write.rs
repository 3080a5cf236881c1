//! Server side. Writes what the owner sets, and keeps one profile of each owner in use.

use app::{
    profile::{model::ProfileId, port::Successor, sending::Health},
    session::AccountId,
};
use sqlx::SqliteConnection;

use super::{
    super::{bind_all, logins},
    find::of_owner,
};
use crate::store::{
    ProfileRow, StoreError,
    change::Edit,
    codec::values::{self, set_by_owner},
    succession::successor,
};

/// Inserts a profile that is not in use.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    account: &AccountId,
    row: &ProfileRow,
) -> Result<(), StoreError> {
    let insert = sqlx::query(
        "INSERT INTO profile (user, preset, host, port, security, login, mechanism, sender_name, sender_address,
             reply_to, name, encoding, secret, secret_changed_at, login_key, max_connections, per_minute, per_day,
             check_hourly, fallback, id, portal, account, creation, in_use)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    );
    bind_all(insert, set_by_owner(row))
        .bind(row.id.to_string())
        .bind(&account.portal)
        .bind(&account.account)
        .bind(&row.creation)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the account has fewer profiles than `most`. No more are counted than may be there.
pub(in crate::store::sqlite) async fn has_room(
    connection: &mut SqliteConnection,
    account: &AccountId,
    most: u32,
) -> Result<bool, StoreError> {
    let has: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM profile WHERE portal = ? AND account = ? LIMIT ?) AS counted",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(i64::from(most))
    .fetch_one(connection)
    .await?;
    Ok(has < i64::from(most))
}

/// Puts a profile of this owner in use where none of the owner's is; whether it did.
pub(in crate::store::sqlite) async fn take_if_free(
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

/// An owner's profile in use is gone: another one takes over, or nobody does. `false`: the one that should is not there.
pub(super) async fn hand_over(
    connection: &mut SqliteConnection,
    account: &AccountId,
    user: Option<&str>,
    wish: Successor,
) -> Result<bool, StoreError> {
    let Ok(successor) = successor(wish, &of_owner(connection, account, user).await?) else { return Ok(false) };
    if let Some(id) = successor {
        take_if_free(connection, account, user, id).await?;
    }
    Ok(true)
}

/// Writes what the owner sets.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    account: &AccountId,
    before: &ProfileRow,
    after: ProfileRow,
) -> Result<(), StoreError> {
    let Edit { row, forgiven, leaves_owner } = Edit::of(before, after);
    let update = sqlx::query(
        "UPDATE profile SET user = ?, preset = ?, host = ?, port = ?, security = ?, login = ?, mechanism = ?,
             sender_name = ?, sender_address = ?, reply_to = ?, name = ?, encoding = ?, secret = ?, secret_changed_at = ?,
             login_key = ?, max_connections = ?, per_minute = ?, per_day = ?, check_hourly = ?, fallback = ?,
             in_use = ?, revision = ?
         WHERE id = ?",
    );
    bind_all(update, set_by_owner(&row))
        .bind(row.in_use)
        .bind(i64::from(row.revision))
        .bind(before.id.to_string())
        .execute(&mut *connection)
        .await?;
    write_health(connection, before.id, &row.health, None).await?;
    if let Some(key) = forgiven {
        logins::forgive(connection, &key).await?;
    }
    if leaves_owner {
        hand_over(connection, account, before.settings.user.as_deref(), Successor::Best).await?;
    }
    take_if_free(connection, account, row.settings.user.as_deref(), before.id).await?;
    Ok(())
}

/// Writes how a profile does. `signed`: the settings that the last message was sent with, where that is told.
pub(in crate::store::sqlite) async fn write_health(
    connection: &mut SqliteConnection,
    id: ProfileId,
    health: &Health,
    signed: Option<&[u8; 32]>,
) -> Result<(), StoreError> {
    let update = sqlx::query(
        "UPDATE profile SET failures = ?, failing_cause = ?, broken_at = ?, sent_at = ?, failed_at = ?, failed_cause = ?,
             checked_at = ?, signed_fingerprint = coalesce(?, signed_fingerprint)
         WHERE id = ?",
    );
    bind_all(update, values::health(health))
        .bind(signed.map(|fingerprint| &fingerprint[..]))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
