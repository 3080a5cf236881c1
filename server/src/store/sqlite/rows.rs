//! Server side. From rows to types. What does not map is an inconsistency with its place.

use app::{
    diagnosis::cause::Cause,
    profile::{
        address::EmailAddress,
        encoding::Encoding,
        mechanism::Mechanism,
        model::{Destination, ProfileId, Settings},
        security::Security,
        sending::{Health, SendingOptions},
    },
    test_run::report::Verdict,
};
use jiff::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

use crate::store::{ProfileRow, SealedSecret, StoreError, Tested};

/// The columns that [`profile`] reads.
pub(super) const PROFILE: &str =
    "id, user, preset, host, port, security, login, mechanism, sender_name, sender_address,
    reply_to, encoding, in_use, secret, secret_changed_at, login_key,
    (SELECT count(*) FROM login WHERE login.key = profile.login_key AND login.until IS NULL) AS secret_refusals,
    tested_fingerprint, tested_at, tested_verdict,
    tested_cause, received_at, max_connections, per_minute, per_day, check_hourly, fallback, failures, failing_cause,
    broken_at, sent_at, failed_at, failed_cause, checked_at,
    signed_fingerprint, revision, creation";

/// An instant in milliseconds.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A value as it stands in a column of JSON.
pub(super) fn encode<T: serde::Serialize + ?Sized>(
    table: &'static str,
    column: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Unencodable { table, column, source })
}

/// Reads one column, or says where it does not read.
fn mapped<T>(table: &'static str, column: &'static str, row: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Inconsistent { table, column, row: row.to_owned() })
}

pub(super) fn verdict_code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::DryRunOk => "dry_run_ok",
        Verdict::Failed => "failed",
        Verdict::DeliveryUnknown => "delivery_unknown",
    }
}

fn verdict(code: &str) -> Option<Verdict> {
    [Verdict::Accepted, Verdict::DryRunOk, Verdict::Failed, Verdict::DeliveryUnknown]
        .into_iter()
        .find(|verdict| verdict_code(*verdict) == code)
}

/// A row of [`PROFILE`].
pub(super) fn profile(row: &SqliteRow) -> Result<ProfileRow, StoreError> {
    let id: String = row.try_get("id")?;
    let at = |column: &'static str| -> Result<String, StoreError> { Ok(row.try_get(column)?) };
    let wrong = |column| StoreError::Inconsistent { table: "profile", column, row: id.clone() };
    let reply_to: Option<String> = row.try_get("reply_to")?;
    let mechanism: Option<String> = row.try_get("mechanism")?;
    let settings = Settings {
        preset: row.try_get("preset")?,
        user: row.try_get("user")?,
        destination: Destination {
            host: at("host")?,
            port: u16::try_from(row.try_get::<i64, _>("port")?).map_err(|_| wrong("port"))?,
            security: mapped("profile", "security", &id, Security::parse(&at("security")?))?,
            login: at("login")?,
            mechanism: mechanism
                .map(|name| mapped("profile", "mechanism", &id, Mechanism::from_name(&name)))
                .transpose()?,
        },
        sender_name: at("sender_name")?,
        sender_address: EmailAddress::parse(&at("sender_address")?).map_err(|_| wrong("sender_address"))?,
        reply_to: reply_to.as_deref().map(EmailAddress::parse).transpose().map_err(|_| wrong("reply_to"))?,
    };
    let secret = match (row.try_get("secret")?, row.try_get::<Option<i64>, _>("secret_changed_at")?) {
        (Some(sealed), Some(changed_at)) => {
            let login_key: Option<Vec<u8>> = row.try_get("login_key")?;
            let login_key = login_key.and_then(|key| key.try_into().ok()).ok_or_else(|| wrong("login_key"))?;
            Some(SealedSecret { sealed, changed_at: instant(changed_at), login_key })
        }
        (None, _) => None,
        (Some(_), None) => return Err(wrong("secret_changed_at")),
    };
    Ok(ProfileRow {
        id: mapped("profile", "id", &id, ProfileId::parse(&id))?,
        settings,
        encoding: mapped("profile", "encoding", &id, Encoding::parse(&at("encoding")?))?,
        in_use: row.try_get::<i64, _>("in_use")? == 1,
        secret,
        secret_refusals: u32::try_from(row.try_get::<i64, _>("secret_refusals")?).unwrap_or(u32::MAX),
        tested: tested(row, &id)?,
        sending: sending(row)?,
        health: health(row)?,
        signed_fingerprint: row
            .try_get::<Option<Vec<u8>>, _>("signed_fingerprint")?
            .and_then(|bytes| bytes.try_into().ok()),
        revision: number(row, "revision")?.unwrap_or(1),
        creation: row.try_get("creation")?,
    })
}

fn number(row: &SqliteRow, column: &str) -> Result<Option<u32>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.and_then(|number| u32::try_from(number).ok()))
}

fn sending(row: &SqliteRow) -> Result<SendingOptions, StoreError> {
    Ok(SendingOptions {
        max_connections: number(row, "max_connections")?,
        per_minute: number(row, "per_minute")?,
        per_day: number(row, "per_day")?,
        check_hourly: row.try_get::<i64, _>("check_hourly")? == 1,
        fallback: row.try_get::<i64, _>("fallback")? == 1,
    })
}

fn health(row: &SqliteRow) -> Result<Health, StoreError> {
    let moment =
        |column| -> Result<Option<Timestamp>, StoreError> { Ok(row.try_get::<Option<i64>, _>(column)?.map(instant)) };
    let cause = |column| -> Result<Option<Cause>, StoreError> {
        let code: Option<String> = row.try_get(column)?;
        Ok(code.map(|code| Cause::from_code(&code).unwrap_or(Cause::Unknown)))
    };
    Ok(Health {
        failures: number(row, "failures")?.unwrap_or_default(),
        failing_cause: cause("failing_cause")?,
        broken_at: moment("broken_at")?,
        sent_at: moment("sent_at")?,
        failed_at: moment("failed_at")?,
        failed_cause: cause("failed_cause")?,
        checked_at: moment("checked_at")?,
    })
}

fn tested(row: &SqliteRow, id: &str) -> Result<Option<Tested>, StoreError> {
    let Some(fingerprint) = row.try_get::<Option<Vec<u8>>, _>("tested_fingerprint")? else {
        return Ok(None);
    };
    let code: Option<String> = row.try_get("tested_verdict")?;
    let cause: Option<String> = row.try_get("tested_cause")?;
    Ok(Some(Tested {
        fingerprint: mapped("profile", "tested_fingerprint", id, fingerprint.try_into().ok())?,
        at: instant(row.try_get("tested_at")?),
        verdict: mapped("profile", "tested_verdict", id, code.as_deref().and_then(verdict))?,
        // A cause that a later version knew is shown as unknown.
        cause: cause.map(|code| Cause::from_code(&code).unwrap_or(Cause::Unknown)),
        received_at: row.try_get::<Option<i64>, _>("received_at")?.map(instant),
    }))
}
