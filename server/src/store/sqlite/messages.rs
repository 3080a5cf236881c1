//! Server side. Messages: given, looked at, claimed, given back.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::event::Stage};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    SqliteStore,
    profiles::begin,
    quarantine::{self, Damaged, set_aside},
    queue::{REST, wait_for_rest, with_rests},
    rows::instant,
};
use crate::store::{
    MessageStore, StoreError,
    outbox::{Attempt, Inserted, Lane, MessageState, QueuedMessage, ResendOutcome, ResendRule, StoredMessage},
};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn insert_messages(&self, messages: &[QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let mut outcomes = Vec::with_capacity(messages.len());
        for new in messages {
            let recipients =
                serde_json::to_string(&new.recipients).map_err(|_| wrong("recipients", &new.id.to_string()))?;
            let inserted = sqlx::query(
                "INSERT INTO message (id, portal, account, user, lane, idempotency_key, request_hash, message_id, reference,
                     subject, size, recipients, state, created_at, updated_at, expires_at, next_at, wakings)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'queued', ?13, ?13, ?14, ?13,
                     ifnull((SELECT wakings FROM lane WHERE lane = ?5 AND fallback = 0), 0))
                 ON CONFLICT (portal, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING",
            )
            .bind(new.id.to_string())
            .bind(&new.lane.account.portal)
            .bind(&new.lane.account.account)
            .bind(&new.lane.user)
            .bind(new.lane.key())
            .bind(&new.idempotency_key)
            .bind(&new.request_hash[..])
            .bind(&new.message_id)
            .bind(&new.reference)
            .bind(&new.subject)
            .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
            .bind(recipients)
            .bind(new.at.as_millisecond())
            .bind(new.expires_at.as_millisecond())
            .execute(&mut *transaction)
            .await?;
            if inserted.rows_affected() == 1 {
                sqlx::query("INSERT INTO content (message, sealed) VALUES (?, ?)")
                    .bind(new.id.to_string())
                    .bind(&new.sealed)
                    .execute(&mut *transaction)
                    .await?;
                outcomes.push(Inserted::New);
                continue;
            }
            let key = new.idempotency_key.as_deref().unwrap_or_default();
            let known = by_key(&mut transaction, &new.lane.account.portal, key, &new.request_hash).await?;
            outcomes.push(known.ok_or_else(|| wrong("idempotency_key", &new.id.to_string()))?);
        }
        transaction.commit().await?;
        Ok(outcomes)
    }

    async fn message_by_key(
        &self,
        portal: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Inserted>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        by_key(&mut connection, portal, key, request_hash).await
    }

    async fn message(&self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE portal = ? AND id = ?");
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&self.pool).await?;
        let mut rows = shown(&self.writer, row.as_slice()).await?;
        with_rests(&self.pool, &mut rows).await?;
        Ok(rows.pop())
    }

    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError> {
        let found: Vec<String> = sqlx::query_scalar("SELECT content FROM attempt WHERE message = ? ORDER BY number")
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await?;
        found.iter().map(|content| attempt(content, id)).collect()
    }

    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<(StoredMessage, Vec<Attempt>)>, StoreError> {
        // What waits for a rest is deferred, though its own row does not say so: see `with_rests`.
        const STATE: &str = "CASE WHEN state = 'queued' AND EXISTS (
                SELECT 1 FROM lane LEFT JOIN destination USING (destination)
                WHERE lane.lane = message.lane AND lane.fallback = message.fallback
                  AND max(lane.rests_until, ifnull(destination.rests_until, 0)) > message.next_at)
            THEN 'deferred' ELSE state END";
        const SQL: &str = formatcp!(
            "SELECT {COLUMNS}, {REST},
                 (SELECT json_group_array(content)
                  FROM (SELECT content FROM attempt WHERE attempt.message = message.id ORDER BY number)) AS attempts
             FROM message
             WHERE portal = ?1 AND account = ?2 AND id < ?3 AND (?4 IS NULL OR {STATE} = ?4) ORDER BY id DESC LIMIT ?5"
        );
        let rows = sqlx::query(SQL)
            .bind(&account.portal)
            .bind(&account.account)
            // No id sorts after this.
            .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
            .bind(state.map(MessageState::as_str))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let messages = shown(&self.writer, &rows).await?;
        rows.iter()
            .zip(messages)
            .map(|(row, mut one)| {
                wait_for_rest(row, &mut one)?;
                let attempts = row.try_get::<String, _>("attempts")?;
                let attempts: Vec<String> = serde_json::from_str(&attempts).unwrap_or_default();
                let attempts = attempts.iter().map(|content| attempt(content, one.id)).collect::<Result<_, _>>()?;
                Ok((one, attempts))
            })
            .collect()
    }

    async fn content(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        let found = sqlx::query_scalar("SELECT sealed FROM content WHERE message = ?").bind(id.to_string());
        Ok(found.fetch_optional(&self.pool).await?)
    }

    async fn resend(
        &self,
        portal: &str,
        id: Uuid,
        (now, expires_at): (Timestamp, Timestamp),
        rule: ResendRule,
    ) -> Result<ResendOutcome, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE portal = ? AND id = ?");
        let mut transaction = begin(&self.writer).await?;
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&mut *transaction).await?;
        let Some(row) = row.as_ref().map(message).transpose()? else {
            return Ok(ResendOutcome::NotFound);
        };
        let kept: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM content WHERE message = ?)")
            .bind(id.to_string())
            .fetch_one(&mut *transaction)
            .await?;
        let again = match rule(&row, kept == 1) {
            Ok(again) => again,
            Err(refused) => return Ok(refused),
        };
        let recipients = serde_json::to_string(&again.recipients).map_err(|_| wrong("recipients", &id.to_string()))?;
        sqlx::query(
            "UPDATE message SET state = ?, stage = ?, cause = ?, reply = ?, recipients = ?, next_at = ?, updated_at = ?,
                 expires_at = ?, tries = 0, fallback = 0, finished_at = NULL,
                 wakings = ifnull((SELECT lane.wakings FROM lane WHERE lane.lane = message.lane AND lane.fallback = 0), 0)
             WHERE id = ?",
        )
        .bind(again.status.state.as_str())
        .bind(again.status.stage.map(Stage::as_str))
        .bind(again.status.cause.map(Cause::as_str))
        .bind(again.status.reply)
        .bind(recipients)
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .bind(expires_at.as_millisecond())
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(ResendOutcome::Done)
    }
}

/// The columns that [`message`] reads.
pub(super) const COLUMNS: &str =
    "id, portal, account, user, lane, message_id, reference, subject, size, recipients, state, stage, cause, reply, profile,
    fallback, tries, created_at, updated_at, expires_at, lease_owner, ending_at, ending_to, finished_at,
    CASE WHEN state IN ('queued', 'deferred') THEN ifnull(
        (SELECT min(message.next_at, lane.woken_at) FROM lane WHERE lane.lane = message.lane
             AND lane.fallback = message.fallback AND lane.wakings > message.wakings),
        next_at) ELSE next_at END AS next_at";
/// What is not under way and not finished: the condition of the partial indexes, to the letter.
pub(super) const WAITING: &str = "state IN ('queued', 'deferred')";

fn wrong(column: &'static str, row: &str) -> StoreError {
    StoreError::Inconsistent { table: "message", column, row: row.to_owned() }
}

/// The table, and its key.
const MESSAGE: (&str, &str) = ("message", "id");

/// A row of [`COLUMNS`]. Of one that was set aside, whatever can be decoded.
fn message(row: &SqliteRow) -> Result<StoredMessage, StoreError> {
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

pub(super) async fn by_key(
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
async fn shown(writer: &SqlitePool, rows: &[SqliteRow]) -> Result<Vec<StoredMessage>, StoreError> {
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

fn attempt(content: &str, message: Uuid) -> Result<Attempt, StoreError> {
    let wrong = |_| StoreError::Inconsistent { table: "attempt", column: "content", row: message.to_string() };
    serde_json::from_str(content).map_err(wrong)
}

/// Those rows that can be decoded, and those that cannot.
pub(super) fn readable(rows: &[SqliteRow]) -> Result<(Vec<StoredMessage>, Vec<Damaged>), StoreError> {
    quarantine::readable(MESSAGE, rows, message)
}
