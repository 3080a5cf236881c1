//! Server side. A row of `profile` as a type.

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
    session::AccountId,
    test_run::{port::TestRun, report::Verdict},
};
use jiff::Timestamp;

use super::{Columns, cause, grants, instant};
use crate::store::{
    AccountProfile, ProfileRow, ProfileWithFailure, Receipt, SealedSecret, StoreError, Tested, deleted::DeletedProfile,
};

/// The columns that [`profile`] reads.
pub const PROFILE: &str = "id, \"user\", preset, host, port, security, login, mechanism, sender_name, sender_address,
    reply_to, name, encoding, in_use, secret, secret_changed_at, login_key,
    (SELECT count(*) FROM login WHERE login.key = profile.login_key AND login.until IS NULL) AS secret_refusals,
    tested_fingerprint, tested_at, tested_verdict,
    tested_cause, received_at, max_connections, per_minute, per_day, check_hourly, fallback, failures, failing_cause,
    broken_at, sent_at, failed_at, failed_cause, checked_at,
    signed_fingerprint, revision, creation,
    grant_id, grant_client, grant_identity, granted_at, grant_access_ends_at, grant_cause, grant_code";

/// Reads one column, or says where it does not read.
fn mapped<T>(table: &'static str, column: &'static str, row: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Inconsistent { table, column, row: row.to_owned() })
}

pub fn verdict_code(verdict: Verdict) -> &'static str {
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
pub fn profile(row: &impl Columns) -> Result<ProfileRow, StoreError> {
    let id = row.text("id")?;
    let at = |column: &'static str| -> Result<String, StoreError> { Ok(row.text(column)?) };
    let wrong = |column| StoreError::Inconsistent { table: "profile", column, row: id.clone() };
    let reply_to = row.text_if_any("reply_to")?;
    let mechanism = row.text_if_any("mechanism")?;
    let settings = Settings {
        name: at("name")?,
        preset: row.text_if_any("preset")?,
        user: row.text_if_any("user")?,
        destination: Destination {
            host: at("host")?,
            port: u16::try_from(row.number("port")?).map_err(|_| wrong("port"))?,
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
    let secret = match (row.bytes_if_any("secret")?, row.number_if_any("secret_changed_at")?) {
        (Some(sealed), Some(changed_at)) => {
            let login_key = row.bytes_if_any("login_key")?;
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
        in_use: row.flag("in_use")?,
        secret,
        grant: grants::of_profile(row, &id)?,
        secret_refusals: u32::try_from(row.number("secret_refusals")?).unwrap_or(u32::MAX),
        tested: tested(row, &id)?,
        sending: sending(row)?,
        health: health(row)?,
        signed_fingerprint: row.bytes_if_any("signed_fingerprint")?.and_then(|bytes| bytes.try_into().ok()),
        revision: number(row, "revision")?.unwrap_or(1),
        creation: row.text_if_any("creation")?,
    })
}

fn number(row: &impl Columns, column: &str) -> Result<Option<u32>, StoreError> {
    Ok(row.number_if_any(column)?.and_then(|number| u32::try_from(number).ok()))
}

fn sending(row: &impl Columns) -> Result<SendingOptions, StoreError> {
    Ok(SendingOptions {
        max_connections: number(row, "max_connections")?,
        per_minute: number(row, "per_minute")?,
        per_day: number(row, "per_day")?,
        check_hourly: row.flag("check_hourly")?,
        fallback: row.flag("fallback")?,
    })
}

fn health(row: &impl Columns) -> Result<Health, StoreError> {
    let moment = |column| -> Result<Option<Timestamp>, StoreError> { Ok(row.number_if_any(column)?.map(instant)) };
    let cause = |column| -> Result<Option<Cause>, StoreError> { Ok(super::cause(row.text_if_any(column)?)) };
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

fn tested(row: &impl Columns, id: &str) -> Result<Option<Tested>, StoreError> {
    let Some(fingerprint) = row.bytes_if_any("tested_fingerprint")? else {
        return Ok(None);
    };
    let code = row.text_if_any("tested_verdict")?;
    Ok(Some(Tested {
        fingerprint: mapped("profile", "tested_fingerprint", id, fingerprint.try_into().ok())?,
        at: instant(row.number("tested_at")?),
        verdict: mapped("profile", "tested_verdict", id, code.as_deref().and_then(verdict))?,
        cause: cause(row.text_if_any("tested_cause")?),
        received_at: row.number_if_any("received_at")?.map(instant),
    }))
}

/// The table, and its key.
pub const PROFILE_KEY: (&str, &str) = ("profile", "id");

/// What `last_failure.content` holds.
pub fn failure(content: &str, id: ProfileId) -> Result<TestRun, StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "last_failure", column: "content", row: id.to_string() };
    serde_json::from_str(content).map_err(wrong)
}

/// What `test_run.content` holds.
pub fn test_run(content: &str, id: ProfileId) -> Result<TestRun, StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "test_run", column: "content", row: id.to_string() };
    serde_json::from_str(content).map_err(wrong)
}

/// A row of `receipt`.
pub fn receipt(row: &impl Columns, id: ProfileId) -> Result<Receipt, StoreError> {
    let wrong = |column| StoreError::Inconsistent { table: "receipt", column, row: id.to_string() };
    Ok(Receipt {
        salt: row.bytes("salt")?.try_into().map_err(|_| wrong("salt"))?,
        code: row.bytes("code")?.try_into().map_err(|_| wrong("code"))?,
        expires_at: instant(row.number("expires_at")?),
        tries_left: u32::try_from(row.number("tries_left")?).map_err(|_| wrong("tries_left"))?,
    })
}

/// A row with the account that it belongs to.
pub fn profile_of_account(row: &impl Columns) -> Result<AccountProfile, StoreError> {
    let account = AccountId { portal: row.text("portal")?, account: row.text("account")? };
    Ok(AccountProfile { account, row: profile(row)? })
}

/// A row that was set aside, with `deleted_in_use` and `deleted_successor`.
pub fn deleted(row: &impl Columns) -> Result<DeletedProfile, StoreError> {
    let successor = row.text_if_any("deleted_successor")?;
    Ok(DeletedProfile {
        was_in_use: row.flag("deleted_in_use")?,
        successor: successor.as_deref().and_then(ProfileId::parse),
        row: profile(row)?,
    })
}

/// A row with the content of its last failure, in the column `last_failure`.
pub fn with_failure(row: &impl Columns) -> Result<ProfileWithFailure, StoreError> {
    let content = row.text_if_any("last_failure")?;
    let row = profile(row)?;
    let last_failure = content.map(|content| failure(&content, row.id)).transpose()?;
    Ok(ProfileWithFailure { row, last_failure })
}
