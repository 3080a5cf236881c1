//! Server side. Writes what the owner sets, and keeps one profile of each owner in use.

use app::{
    profile::{model::ProfileId, port::Successor, sending::Health},
    session::AccountId,
};
use sqlx::PgConnection;

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
    connection: &mut PgConnection,
    account: &AccountId,
    row: &ProfileRow,
) -> Result<(), StoreError> {
    let insert = sqlx::query(
        r#"INSERT INTO profile ("user", preset, host, port, security, login, mechanism, sender_name, sender_address,
             reply_to, name, encoding, secret, secret_changed_at, login_key, max_connections, per_minute, per_day,
             check_hourly, fallback, id, portal, account, creation, in_use)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24, FALSE)"#,
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
pub(in crate::store::postgres) async fn has_room(
    connection: &mut PgConnection,
    account: &AccountId,
    most: u32,
) -> Result<bool, StoreError> {
    let has: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM profile WHERE portal = $1 AND account = $2 LIMIT $3) AS counted",
    )
    .bind(&account.portal)
    .bind(&account.account)
    .bind(i64::from(most))
    .fetch_one(connection)
    .await?;
    Ok(has < i64::from(most))
}

/// Puts a profile of this owner in use where none of the owner's is; whether it did.
pub(in crate::store::postgres) async fn take_if_free(
    connection: &mut PgConnection,
    account: &AccountId,
    user: Option<&str>,
    id: ProfileId,
) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        r#"UPDATE profile SET in_use = TRUE
           WHERE id = $4 AND portal = $1 AND account = $2 AND "user" IS NOT DISTINCT FROM $3
             AND NOT EXISTS (SELECT 1 FROM profile AS one
                             WHERE one.portal = $1 AND one.account = $2 AND coalesce(one."user", '') = coalesce($3, '')
                               AND one."user" IS NOT DISTINCT FROM $3 AND one.in_use)"#,
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
    connection: &mut PgConnection,
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
    connection: &mut PgConnection,
    account: &AccountId,
    before: &ProfileRow,
    after: ProfileRow,
) -> Result<(), StoreError> {
    let Edit { row, forgiven, leaves_owner } = Edit::of(before, after);
    let update = sqlx::query(
        r#"UPDATE profile SET "user" = $1, preset = $2, host = $3, port = $4, security = $5, login = $6, mechanism = $7,
               sender_name = $8, sender_address = $9, reply_to = $10, name = $11, encoding = $12, secret = $13, secret_changed_at = $14,
               login_key = $15, max_connections = $16, per_minute = $17, per_day = $18, check_hourly = $19, fallback = $20,
               in_use = $21, revision = $22
           WHERE id = $23"#,
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
pub(in crate::store::postgres) async fn write_health(
    connection: &mut PgConnection,
    id: ProfileId,
    health: &Health,
    signed: Option<&[u8; 32]>,
) -> Result<(), StoreError> {
    let update = sqlx::query(
        "UPDATE profile SET failures = $1, failing_cause = $2, broken_at = $3, sent_at = $4, failed_at = $5,
             failed_cause = $6, checked_at = $7, signed_fingerprint = coalesce($8, signed_fingerprint)
         WHERE id = $9",
    );
    bind_all(update, values::health(health))
        .bind(signed.map(|fingerprint| &fingerprint[..]))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
