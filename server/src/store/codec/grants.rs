//! Server side. Grants as types, and what is written of them.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Columns, cause, instant, values::Value};
use crate::store::{Grant, GrantCount, GrantEnd, GrantRow, GrantTokens, SealedSecret, StoreError};

/// The columns that [`grant`] reads.
pub const GRANT: &str = "id, profile, attached_to, portal, account, client, issuer, subject, scopes, refresh, version,
    leased_until, next_refresh_at";
/// The table, and its key.
pub const GRANT_KEY: (&str, &str) = ("oauth_grant", "id");

/// A row of [`GRANT`].
pub fn grant(row: &impl Columns) -> Result<GrantRow, StoreError> {
    let id = row.text("id")?;
    let wrong = |column| StoreError::Inconsistent { table: "oauth_grant", column, row: id.clone() };
    Ok(GrantRow {
        id: Uuid::try_parse(&id).map_err(|_| wrong("id"))?,
        profile: ProfileId::parse(&row.text("profile")?).ok_or_else(|| wrong("profile"))?,
        account: AccountId { portal: row.text("portal")?, account: row.text("account")? },
        client: row.text("client")?,
        tokens: GrantTokens {
            issuer: row.text("issuer")?,
            subject: row.text("subject")?,
            scopes: row.text("scopes")?,
            refresh: row.bytes("refresh")?,
            next_refresh_at: instant(row.number("next_refresh_at")?),
        },
        version: u32::try_from(row.number("version")?).map_err(|_| wrong("version"))?,
        leased_until: row.number_if_any("leased_until")?.map(instant),
        attached: row.text_if_any("attached_to")?.is_some(),
    })
}

/// What a row of `profile` says about its grant; `id` is the profile's.
pub fn of_profile(row: &impl Columns, id: &str) -> Result<Option<Grant>, StoreError> {
    let wrong = |column| StoreError::Inconsistent { table: "profile", column, row: id.to_owned() };
    let text = |column| row.text_if_any(column)?.ok_or_else(|| wrong(column));
    let Some(grant) = row.text_if_any("grant_id")? else { return Ok(None) };
    let ended = match row.text_if_any("grant_cause")? {
        Some(code) => Some(GrantEnd {
            cause: Cause::from_code(&code).ok_or_else(|| wrong("grant_cause"))?,
            code: text("grant_code")?,
        }),
        None => None,
    };
    Ok(Some(Grant {
        id: Uuid::try_parse(&grant).map_err(|_| wrong("grant_id"))?,
        client: text("grant_client")?,
        identity: text("grant_identity")?,
        granted_at: instant(row.number_if_any("granted_at")?.ok_or_else(|| wrong("granted_at"))?),
        access_ends_at: row.number_if_any("grant_access_ends_at")?.map(instant),
        ended,
        tokens: None,
    }))
}

/// A new grant: `id, profile, attached_to, portal, account, client, issuer, subject, scopes, refresh, next_refresh_at`.
pub fn attached(account: &AccountId, profile: ProfileId, grant: &Grant, tokens: &GrantTokens) -> [Value; 11] {
    let GrantTokens { issuer, subject, scopes, refresh, next_refresh_at } = tokens;
    [
        Value::text(grant.id.to_string()),
        Value::text(profile.to_string()),
        Value::text(profile.to_string()),
        Value::text(&*account.portal),
        Value::text(&*account.account),
        Value::text(&*grant.client),
        Value::text(&**issuer),
        Value::text(&**subject),
        Value::text(&**scopes),
        Value::Bytes(Some(refresh.clone())),
        Value::number(next_refresh_at.as_millisecond()),
    ]
}

/// An access token, and when it ends: `secret, secret_changed_at, login_key, grant_access_ends_at`.
pub fn access(access: Option<(&SealedSecret, Timestamp)>) -> [Value; 4] {
    let secret = access.map(|(secret, _)| secret);
    [
        Value::Bytes(secret.map(|secret| secret.sealed.clone())),
        Value::maybe_at(secret.map(|secret| secret.changed_at)),
        Value::Bytes(secret.map(|secret| secret.login_key.to_vec())),
        Value::maybe_at(access.map(|(_, ends_at)| ends_at)),
    ]
}

/// A row with `client`, `cause` and `grants`.
pub fn count(row: &impl Columns) -> Result<GrantCount, StoreError> {
    Ok(GrantCount {
        client: row.text("client")?,
        ended: cause(row.text_if_any("cause")?),
        grants: u64::try_from(row.number("grants")?).unwrap_or_default(),
    })
}
