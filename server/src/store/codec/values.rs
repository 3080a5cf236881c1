//! Server side. Values on their way into columns, once for every database: which columns there are and what is in them is said
//! here; an adapter binds them in the same order (`bind_all`).

use app::profile::{
    address::EmailAddress,
    mechanism::Mechanism,
    model::Settings,
    sending::{Health, SendingOptions},
};
use jiff::Timestamp;

use super::without_nul;
use crate::store::ProfileRow;

/// What one column takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Flag(bool),
}

impl Value {
    /// A text from outside, without NUL: PostgreSQL takes everything else.
    pub fn text(text: impl Into<String>) -> Self {
        Self::maybe_text(Some(text.into()))
    }

    pub fn maybe_text(text: Option<impl Into<String>>) -> Self {
        Self::Text(text.map(|text| without_nul(&text.into())))
    }

    pub fn number(number: impl Into<i64>) -> Self {
        Self::Number(Some(number.into()))
    }

    pub fn maybe_number(number: Option<impl Into<i64>>) -> Self {
        Self::Number(number.map(Into::into))
    }

    pub fn maybe_at(instant: Option<Timestamp>) -> Self {
        Self::Number(instant.map(Timestamp::as_millisecond))
    }
}

/// What the owner of a profile sets: `user, preset, host, port, security, login, mechanism, sender_name, sender_address,
/// reply_to, name, encoding, secret, secret_changed_at, login_key, max_connections, per_minute, per_day, check_hourly, fallback,
/// grant_id, grant_client, grant_identity, granted_at, grant_access_ends_at, grant_cause, grant_code`.
pub fn set_by_owner(row: &ProfileRow) -> [Value; 27] {
    let Settings { name, preset, user, destination, sender_name, sender_address, reply_to } = &row.settings;
    let SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback } = row.sending;
    let secret = row.secret.as_ref();
    let grant = row.grant.as_ref();
    let ended = grant.and_then(|grant| grant.ended.as_ref());
    [
        Value::maybe_text(user.as_deref()),
        Value::maybe_text(preset.as_deref()),
        Value::text(&*destination.host),
        Value::number(destination.port),
        Value::text(destination.security.as_str()),
        Value::text(&*destination.login),
        Value::maybe_text(destination.mechanism.map(Mechanism::name)),
        Value::text(&**sender_name),
        Value::text(sender_address.as_str()),
        Value::maybe_text(reply_to.as_ref().map(EmailAddress::as_str)),
        Value::text(&**name),
        Value::text(row.encoding.as_str()),
        Value::Bytes(secret.map(|secret| secret.sealed.clone())),
        Value::maybe_at(secret.map(|secret| secret.changed_at)),
        Value::Bytes(secret.map(|secret| secret.login_key.to_vec())),
        Value::maybe_number(max_connections),
        Value::maybe_number(per_minute),
        Value::maybe_number(per_day),
        Value::Flag(check_hourly),
        Value::Flag(fallback),
        Value::maybe_text(grant.map(|grant| grant.id.to_string())),
        Value::maybe_text(grant.map(|grant| &*grant.client)),
        Value::maybe_text(grant.map(|grant| &*grant.identity)),
        Value::maybe_at(grant.map(|grant| grant.granted_at)),
        Value::maybe_at(grant.and_then(|grant| grant.access_ends_at)),
        Value::maybe_text(ended.map(|end| end.cause.as_str())),
        Value::maybe_text(ended.map(|end| &*end.code)),
    ]
}

/// How a profile does: `failures, failing_cause, broken_at, sent_at, failed_at, failed_cause, checked_at`.
pub fn health(health: &Health) -> [Value; 7] {
    let Health { failures, failing_cause, broken_at, sent_at, failed_at, failed_cause, checked_at } = health;
    [
        Value::number(*failures),
        Value::maybe_text(failing_cause.map(app::diagnosis::cause::Cause::as_str)),
        Value::maybe_at(*broken_at),
        Value::maybe_at(*sent_at),
        Value::maybe_at(*failed_at),
        Value::maybe_text(failed_cause.map(app::diagnosis::cause::Cause::as_str)),
        Value::maybe_at(*checked_at),
    ]
}
