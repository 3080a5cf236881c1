//! Server side. New messages: each statement is for the whole batch.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::super::rows::encode;
use crate::store::{
    StoreError,
    codec::{
        messages::{NewRow, known, wrong},
        without_nul,
    },
    outbox::{Inserted, MessageState, QueuedMessage},
};

/// Messages with their contents. What has the key of an earlier message is that message.
pub(in crate::store::sqlite) async fn insert_messages(
    connection: &mut SqliteConnection,
    messages: &[&QueuedMessage],
) -> Result<Vec<Inserted>, StoreError> {
    let new = insert(&mut *connection, messages).await?;
    let (new, known): (Vec<&QueuedMessage>, Vec<&QueuedMessage>) =
        messages.iter().copied().partition(|message| new.contains(&message.id.to_string()));
    insert_contents(&mut *connection, &new).await?;
    let known = by_keys(connection, &known).await?;
    Ok(messages.iter().map(|message| known.get(&message.id).copied().unwrap_or(Inserted::New)).collect())
}

/// Inserts messages with one statement, and gives the ids of those that are new: an idempotency key makes one message.
async fn insert(connection: &mut SqliteConnection, messages: &[&QueuedMessage]) -> Result<HashSet<String>, StoreError> {
    let rows: Vec<NewRow> = messages.iter().map(|new| NewRow::of(new)).collect::<Result<_, _>>()?;
    let inserted = sqlx::query_scalar(
        "INSERT INTO message (id, portal, account, user, lane, idempotency_key, request_hash, message_id, reference,
             subject, size, recipients, state, created_at, updated_at, expires_at, next_at, wakings)
         SELECT value ->> 'id', value ->> 'portal', value ->> 'account', value ->> 'user', value ->> 'lane',
             value ->> 'key', unhex(value ->> 'hash'), value ->> 'message_id', value ->> 'reference',
             value ->> 'subject', value ->> 'size', value ->> 'recipients', ?2, value ->> 'at', value ->> 'at',
             value ->> 'expires_at', value ->> 'at',
             ifnull((SELECT lane.wakings FROM lane WHERE lane.lane = value ->> 'lane' AND lane.fallback = 0), 0)
         FROM json_each(?1) WHERE true
         ON CONFLICT (portal, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
         RETURNING id",
    )
    .bind(encode("message", "id", &rows)?)
    .bind(MessageState::Queued.as_str());
    Ok(inserted.fetch_all(connection).await?.into_iter().collect())
}

/// Contents with one statement. They are bytes, and may be large: each is bound as it is.
async fn insert_contents(connection: &mut SqliteConnection, messages: &[&QueuedMessage]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO content (message, sealed) ");
    insert.push_values(messages, |mut row, new| {
        row.push_bind(new.id.to_string()).push_bind(&new.sealed);
    });
    insert.build().execute(connection).await?;
    Ok(())
}

/// What was given earlier with the keys of these messages.
async fn by_keys(
    connection: &mut SqliteConnection,
    messages: &[&QueuedMessage],
) -> Result<HashMap<Uuid, Inserted>, StoreError> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<_> = messages
        .iter()
        .map(|new| (&new.lane.account.portal, new.idempotency_key.as_deref().map(without_nul)))
        .collect();
    let rows = sqlx::query(
        "SELECT message.portal, message.idempotency_key, message.id, message.request_hash
         FROM json_each(?) AS given
         JOIN message ON message.portal = given.value ->> 0 AND message.idempotency_key = given.value ->> 1",
    )
    .bind(encode("message", "idempotency_key", &keys)?)
    .fetch_all(connection)
    .await?;
    let mut stored: HashMap<(String, Option<String>), &SqliteRow> = HashMap::new();
    for row in &rows {
        stored.insert((row.try_get("portal")?, row.try_get("idempotency_key")?), row);
    }
    let known = messages.iter().map(|new| {
        let key = (new.lane.account.portal.clone(), new.idempotency_key.as_deref().map(without_nul));
        let row = stored.get(&key).ok_or_else(|| wrong("idempotency_key", &new.id.to_string()))?;
        Ok((new.id, known(*row, &new.request_hash)?))
    });
    known.collect()
}
