//! Server side. Messages, attempts and sealed contents as types.

use std::collections::HashMap;

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::event::Stage};
use const_format::formatcp;
use jiff::Timestamp;
use mail::aside::aside;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Columns, cause, encode, instant,
    logins::hexadecimal,
    quarantine::{self, Damaged},
    queue::wait_for_rest,
    without_nul,
};
use crate::store::{
    StoreError,
    outbox::{
        Attempt, Inserted, Lane, MessageState, MessageWithAttempts, QueuedMessage, Resend, ResendTimes, SealedContent,
        StoredMessage,
    },
    retention,
};

/// When a message that waits is due: not after its lane was woken.
pub const NEXT_AT: &str = "CASE WHEN message.state IN ('queued', 'deferred') THEN coalesce(
    (SELECT CASE WHEN lane.woken_at < message.next_at THEN lane.woken_at ELSE message.next_at END FROM lane
     WHERE lane.lane = message.lane AND lane.fallback = message.fallback AND lane.wakings > message.wakings),
    message.next_at) ELSE message.next_at END";
/// The columns that [`message`] reads.
pub const COLUMNS: &str = formatcp!(
    "id, portal, account, \"user\", lane, message_id, reference, subject, size, recipients, state, stage, cause, reply, profile,
    fallback, tries, created_at, updated_at, expires_at, lease_owner, ending_at, ending_to, finished_at,
    {NEXT_AT} AS next_at"
);
/// What is not under way and not finished: the condition of the partial indexes, to the letter.
pub const WAITING: &str = "state IN ('queued', 'deferred')";

/// Contents by the ids of their messages.
pub fn by_id(rows: Vec<(String, Vec<u8>)>) -> Result<HashMap<Uuid, Vec<u8>>, StoreError> {
    let read = |(id, sealed): (String, Vec<u8>)| Ok((Uuid::try_parse(&id).map_err(|_| wrong("id", &id))?, sealed));
    rows.into_iter().map(read).collect()
}

pub fn wrong(column: &'static str, row: &str) -> StoreError {
    StoreError::Inconsistent { table: "message", column, row: row.to_owned() }
}

/// The table, and its key.
pub const MESSAGE: (&str, &str) = ("message", "id");

/// A row of [`COLUMNS`]. Of a quarantined row, what can be decoded.
pub fn message(row: &impl Columns) -> Result<StoredMessage, StoreError> {
    match MessageState::parse(&row.text("state")?) {
        Some(MessageState::Quarantined) => set_aside_row(row),
        Some(state) => decode(row, state),
        None => Err(wrong("state", &row.text("id")?)),
    }
}

/// What can be decoded of a row that as a whole cannot.
fn set_aside_row(row: &impl Columns) -> Result<StoredMessage, StoreError> {
    let text = |column: &'static str| row.text(column).unwrap_or_default();
    let moment = |column: &'static str| row.number_if_any(column).ok().flatten().map(instant);
    let id = text("id");
    let account = AccountId { portal: text("portal"), account: text("account") };
    Ok(StoredMessage {
        lane: Lane { account, user: row.text_if_any("user").unwrap_or_default() },
        message_id: text("message_id"),
        reference: row.text_if_any("reference").unwrap_or_default(),
        subject: text("subject"),
        size: row.number("size").ok().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        recipients: serde_json::from_str(&text("recipients")).unwrap_or_default(),
        state: MessageState::Quarantined,
        stage: None,
        cause: None,
        reply: None,
        profile: None,
        fallback: false,
        tries: 0,
        created_at: moment("created_at").unwrap_or_default(),
        updated_at: moment("updated_at").unwrap_or_default(),
        expires_at: moment("expires_at").unwrap_or_default(),
        next_at: None,
        lease_token: None,
        ending_at: moment("ending_at"),
        ending_to: None,
        finished_at: moment("finished_at"),
        id: Uuid::try_parse(&id).map_err(|_| wrong("id", &id))?,
    })
}

fn decode(row: &impl Columns, state: MessageState) -> Result<StoredMessage, StoreError> {
    let id = row.text("id")?;
    let text = |column: &'static str| -> Result<Option<String>, StoreError> { Ok(row.text_if_any(column)?) };
    let must = |column: &'static str| -> Result<String, StoreError> { Ok(row.text(column)?) };
    let moment =
        |column: &'static str| -> Result<Option<Timestamp>, StoreError> { Ok(row.number_if_any(column)?.map(instant)) };
    let count = |column: &'static str| -> Result<u64, StoreError> {
        u64::try_from(row.number(column)?).map_err(|_| wrong(column, &id))
    };
    Ok(StoredMessage {
        lane: Lane::parse(&must("lane")?).ok_or_else(|| wrong("lane", &id))?,
        message_id: must("message_id")?,
        reference: text("reference")?,
        subject: must("subject")?,
        size: count("size")?,
        recipients: serde_json::from_str(&must("recipients")?).map_err(|_| wrong("recipients", &id))?,
        state,
        stage: text("stage")?.and_then(|code| Stage::ALL.into_iter().find(|stage| stage.as_str() == code)),
        cause: cause(text("cause")?),
        reply: text("reply")?,
        profile: text("profile")?.as_deref().and_then(ProfileId::parse),
        fallback: row.flag("fallback")?,
        tries: u32::try_from(count("tries")?).unwrap_or(u32::MAX),
        created_at: moment("created_at")?.unwrap_or_default(),
        updated_at: moment("updated_at")?.unwrap_or_default(),
        expires_at: moment("expires_at")?.unwrap_or_default(),
        next_at: moment("next_at")?,
        lease_token: text("lease_owner")?,
        ending_at: moment("ending_at")?,
        ending_to: text("ending_to")?.and_then(|addresses| serde_json::from_str(&addresses).ok()),
        finished_at: moment("finished_at")?,
        id: Uuid::try_parse(&id).map_err(|_| wrong("id", &id))?,
    })
}

/// What is written of a message that was just given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewRow {
    pub id: String,
    pub portal: String,
    pub account: String,
    pub user: Option<String>,
    pub lane: String,
    pub key: Option<String>,
    /// In hexadecimal: JSON has no bytes.
    pub hash: String,
    pub message_id: String,
    pub reference: Option<String>,
    pub subject: String,
    pub size: i64,
    pub recipients: String,
    pub at: i64,
    pub expires_at: i64,
}

impl NewRow {
    pub fn of(new: &QueuedMessage) -> Result<Self, StoreError> {
        let AccountId { portal, account } = new.lane.account.clone();
        Ok(Self {
            id: new.id.to_string(),
            portal,
            account,
            user: new.lane.user.clone(),
            lane: new.lane.key(),
            key: new.idempotency_key.as_deref().map(without_nul),
            hash: hexadecimal(&new.request_hash),
            message_id: without_nul(&new.message_id),
            reference: new.reference.as_deref().map(without_nul),
            subject: without_nul(&new.subject),
            size: i64::try_from(new.size).unwrap_or(i64::MAX),
            recipients: encode("message", "recipients", &new.recipients)?,
            at: new.at.as_millisecond(),
            expires_at: new.expires_at.as_millisecond(),
        })
    }
}

/// What a message's row becomes when the message is sent again. It starts over: no tries, its own route, not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequeuedRow {
    pub id: String,
    pub state: &'static str,
    pub stage: Option<&'static str>,
    pub cause: Option<&'static str>,
    pub reply: Option<String>,
    pub recipients: String,
    pub at: i64,
    pub expires_at: i64,
}

impl RequeuedRow {
    pub fn of(id: Uuid, Resend { recipients, status }: &Resend, times: ResendTimes) -> Result<Self, StoreError> {
        Ok(Self {
            id: id.to_string(),
            state: status.state.as_str(),
            stage: status.stage.map(Stage::as_str),
            cause: status.cause.map(Cause::as_str),
            reply: status.reply.as_deref().map(without_nul),
            recipients: encode("message", "recipients", recipients)?,
            at: times.now.as_millisecond(),
            expires_at: times.expires_at.as_millisecond(),
        })
    }
}

/// A row with the id and the hash of what was given earlier with the same key.
pub fn known(row: &impl Columns, request_hash: &[u8; 32]) -> Result<Inserted, StoreError> {
    let id = row.text("id")?;
    let same = row.bytes("request_hash")? == request_hash;
    Ok(Inserted::Known { id: Uuid::try_parse(&id).map_err(|_| wrong("id", &id))?, same })
}

/// Rows for display, and those to be set aside, which are shown as quarantined.
pub fn shown<R: Columns>(rows: &[R]) -> Result<(Vec<StoredMessage>, Vec<Damaged>), StoreError> {
    let (mut shown, mut damaged) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        shown.push(match message(row) {
            Ok(message) => message,
            Err(error) => {
                damaged.push(Damaged::of(MESSAGE, row, error)?);
                set_aside_row(row)?
            }
        });
    }
    Ok((shown, damaged))
}

/// Those rows that can be decoded, and those that cannot.
pub fn readable<R: Columns>(rows: &[R]) -> Result<(Vec<StoredMessage>, Vec<Damaged>), StoreError> {
    quarantine::readable(MESSAGE, rows, message)
}

/// What `attempt.content` holds.
pub fn attempt(content: &str, message: Uuid) -> Result<Attempt, StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "attempt", column: "content", row: message.to_string() };
    serde_json::from_str(content).map_err(wrong)
}

/// The attempts of a message in a list: their contents as a JSON array, in the column `attempts`.
fn attempts(row: &impl Columns, message: Uuid) -> Result<Vec<Attempt>, StoreError> {
    let contents: Vec<String> = serde_json::from_str(&row.text("attempts")?).unwrap_or_default();
    contents.iter().map(|content| attempt(content, message)).collect()
}

/// With more rows their attempts are not read where others wait for the thread.
const A_FEW: usize = 10;

/// Rows of a list with their attempts and rests, in the order in which they came.
pub fn with_attempts<R: Columns>(
    rows: &[R],
    messages: Vec<StoredMessage>,
) -> Result<Vec<MessageWithAttempts>, StoreError> {
    // A page of 200 messages may have thousands of them.
    aside(rows.len() > A_FEW, || {
        let with_attempts = rows.iter().zip(messages).map(|(row, mut message)| {
            wait_for_rest(row, &mut message)?;
            let attempts = attempts(row, message.id)?;
            Ok(MessageWithAttempts { message, attempts })
        });
        with_attempts.collect()
    })
}

/// The ids of contents that are deleted together, of rows with `id` and `size`.
pub fn deleted_together<R: Columns>(rows: &[R], most_bytes: i64) -> Result<Vec<String>, StoreError> {
    let sizes: Vec<i64> = rows.iter().map(|row| row.number("size")).collect::<Result<_, _>>()?;
    let together = retention::first_within(sizes, most_bytes);
    Ok(rows[..together].iter().map(|row| row.text("id")).collect::<Result<_, _>>()?)
}

/// A content, with the account that it belongs to.
pub fn sealed_content(row: &impl Columns) -> Result<SealedContent, StoreError> {
    let id = row.text("id")?;
    let wrong = |_| StoreError::Inconsistent { table: "content", column: "message", row: id.clone() };
    Ok(SealedContent {
        account: AccountId { portal: row.text("portal")?, account: row.text("account")? },
        id: Uuid::try_parse(&id).map_err(wrong)?,
        sealed: row.bytes("sealed")?,
    })
}
