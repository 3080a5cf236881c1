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
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};

use super::super::{logins, text};
use crate::store::{
    ProfileRow, StoreError, best_heir,
    codec::profiles::{PROFILE, profile},
};

/// Binds what the owner sets in the order of the statements below.
pub(super) fn bind_settings<'q>(
    query: Query<'q, Postgres, PgArguments>,
    row: &'q ProfileRow,
) -> Query<'q, Postgres, PgArguments> {
    let Settings { preset, user, destination, sender_name, sender_address, reply_to } = &row.settings;
    let SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback } = row.sending;
    query
        .bind(user)
        .bind(preset)
        .bind(text(&destination.host))
        .bind(i64::from(destination.port))
        .bind(destination.security.as_str())
        .bind(text(&destination.login))
        .bind(destination.mechanism.map(Mechanism::name))
        .bind(text(sender_name))
        .bind(sender_address.as_str())
        .bind(reply_to.as_ref().map(|address| address.as_str().to_owned()))
        .bind(row.encoding.as_str())
        .bind(row.secret.as_ref().map(|secret| &secret.sealed))
        .bind(row.secret.as_ref().map(|secret| secret.changed_at.as_millisecond()))
        .bind(row.secret.as_ref().map(|secret| &secret.login_key[..]))
        .bind(max_connections.map(i64::from))
        .bind(per_minute.map(i64::from))
        .bind(per_day.map(i64::from))
        .bind(check_hourly)
        .bind(fallback)
}

/// Puts a profile of this owner in use where none of the owner's is; whether it did.
pub(super) async fn take_if_free(
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
    heir: Heir,
) -> Result<bool, StoreError> {
    const SQL: &str = formatcp!(
        "SELECT {PROFILE} FROM profile WHERE portal = $1 AND account = $2 AND \"user\" IS NOT DISTINCT FROM $3 ORDER BY id"
    );
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
    connection: &mut PgConnection,
    account: &AccountId,
    before: &ProfileRow,
    after: &ProfileRow,
) -> Result<(), StoreError> {
    let new_owner = before.settings.user != after.settings.user;
    let update = sqlx::query(
        r#"UPDATE profile SET "user" = $1, preset = $2, host = $3, port = $4, security = $5, login = $6, mechanism = $7,
               sender_name = $8, sender_address = $9, reply_to = $10, encoding = $11, secret = $12, secret_changed_at = $13,
               login_key = $14, max_connections = $15, per_minute = $16, per_day = $17, check_hourly = $18, fallback = $19,
               failures = $20, failing_cause = $21, in_use = $22, revision = $23
           WHERE id = $24"#,
    );
    bind_settings(update, after)
        .bind(i64::from(after.health.failures))
        .bind(after.health.failing_cause.map(Cause::as_str))
        .bind(before.in_use && !new_owner)
        .bind(i64::from(after.revision_after(before)))
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
