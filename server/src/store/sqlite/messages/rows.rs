//! Server side. From rows to messages. One that cannot be decoded is set aside.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::event::Stage};
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::super::{
    quarantine::{self, Damaged, set_aside},
    rows::instant,
};
use crate::store::{
    StoreError,
    outbox::{Attempt, Inserted, Lane, MessageState, StoredMessage},
};

/// The columns that [`message`] reads.
pub(in crate::store::sqlite) const COLUMNS: &str =
    "id, portal, account, user, lane, message_id, reference, subject, size, recipients, state, stage, cause, reply, profile,
    fallback, tries, created_at, updated_at, expires_at, lease_owner, ending_at, ending_to, finished_at,
    CASE WHEN state IN ('queued', 'deferred') THEN ifnull(
        (SELECT min(message.next_at, lane.woken_at) FROM lane WHERE lane.lane = message.lane
             AND lane.fallback = message.fallback AND lane.wakings > message.wakings),
        next_at) ELSE next_at END AS next_at";
/// What is not under way and not finished: the condition of the partial indexes, to the letter.
pub(in crate::store::sqlite) const WAITING: &str = "state IN ('queued', 'deferred')";

pub(super) fn wrong(column: &'static str, row: &str) -> StoreError {
    StoreError::Inconsistent { table: "message", column, row: row.to_owned() }
}

/// The table, and its key.
const MESSAGE: (&str, &str) = ("message", "id");

/// A row of [`COLUMNS`]. Of a quarantined row, what can be decoded.
pub(super) fn message(row: &SqliteRow) -> Result<StoredMessage, StoreError> {
    match MessageState::parse(&row.try_get::<String, _>("state")?) {
        Some(MessageState::Quarantined) => set_aside_row(row),
        Some(state) => decode(row, state),
        None => Err(wrong("state", &row.try_get::<String, _>("id")?)),
    }
}

/// What can be decoded of a row that as a whole cannot.
fn set_aside_row(row: &SqliteRow) -> Result<StoredMessage, StoreError> {
    let text = |column: &'static str| row.try_get::<String, _>(column).unwrap_or_default();
    let moment = |column: &'static str| row.try_get::<Option<i64>, _>(column).ok().flatten().map(instant);
    let id = text("id");
    let account = AccountId { portal: text("portal"), account: text("account") };
    Ok(StoredMessage {
        lane: Lane { account, user: row.try_get("user").unwrap_or_default() },
        message_id: text("message_id"),
        reference: row.try_get("reference").unwrap_or_default(),
        subject: text("subject"),
        size: row.try_get("size").ok().and_then(|size: i64| u64::try_from(size).ok()).unwrap_or_default(),
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

fn decode(row: &SqliteRow, state: MessageState) -> Result<StoredMessage, StoreError> {
    let id: String = row.try_get("id")?;
    let text = |column: &'static str| -> Result<Option<String>, StoreError> { Ok(row.try_get(column)?) };
    let must = |column: &'static str| -> Result<String, StoreError> { Ok(row.try_get(column)?) };
    let moment = |column: &'static str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(instant))
    };
    let count = |column: &'static str| -> Result<u64, StoreError> {
        u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| wrong(column, &id))
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
        cause: text("cause")?.map(|code| Cause::from_code(&code).unwrap_or(Cause::Unknown)),
        reply: text("reply")?,
        profile: text("profile")?.as_deref().and_then(ProfileId::parse),
        fallback: row.try_get::<i64, _>("fallback")? == 1,
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

pub(in crate::store::sqlite) async fn by_key(
    connection: &mut SqliteConnection,
    portal: &str,
    key: &str,
    request_hash: &[u8; 32],
) -> Result<Option<Inserted>, StoreError> {
    let known = sqlx::query("SELECT id, request_hash FROM message WHERE portal = ? AND idempotency_key = ?")
        .bind(portal)
        .bind(key)
        .fetch_optional(connection)
        .await?;
    let Some(known) = known else { return Ok(None) };
    let id: String = known.try_get("id")?;
    let same = known.try_get::<Vec<u8>, _>("request_hash")? == request_hash;
    Ok(Some(Inserted::Known { id: Uuid::try_parse(&id).map_err(|_| wrong("id", &id))?, same }))
}

/// Rows for somebody who looks at them: one that cannot be decoded is set aside, and shown as such.
pub(super) async fn shown(writer: &SqlitePool, rows: &[SqliteRow]) -> Result<Vec<StoredMessage>, StoreError> {
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
    set_aside(writer, &damaged).await?;
    Ok(shown)
}

pub(super) fn attempt(content: &str, message: Uuid) -> Result<Attempt, StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "attempt", column: "content", row: message.to_string() };
    serde_json::from_str(content).map_err(wrong)
}

/// Those rows that can be decoded, and those that cannot.
pub(in crate::store::sqlite) fn readable(rows: &[SqliteRow]) -> Result<(Vec<StoredMessage>, Vec<Damaged>), StoreError> {
    quarantine::readable(MESSAGE, rows, message)
}
