//! Server side. New messages: each statement is for the whole batch.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::super::{column, text};
use crate::store::{
    StoreError,
    codec::messages::{NewRow, known, wrong},
    outbox::{Inserted, MessageState, QueuedMessage},
};

/// Inserts messages with one statement, and gives the ids of those that are new: an idempotency key makes one message.
pub(super) async fn insert(
    connection: &mut PgConnection,
    messages: &[&QueuedMessage],
) -> Result<HashSet<String>, StoreError> {
    let rows: Vec<NewRow> = messages.iter().map(|new| NewRow::of(new)).collect::<Result<_, _>>()?;
    let inserted = sqlx::query_scalar(
        r#"INSERT INTO message (id, portal, account, "user", lane, idempotency_key, request_hash, message_id, reference,
               subject, size, recipients, state, created_at, updated_at, expires_at, next_at, wakings)
           SELECT one.id, one.portal, one.account, one.person, one.lane, one.key, decode(one.hash, 'hex'), one.message_id, one.reference,
               one.subject, one.size, one.recipients, $14, one.at, one.at, one.expires_at, one.at,
               coalesce((SELECT lane.wakings FROM lane WHERE lane.lane = one.lane AND NOT lane.fallback), 0)
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $15::bigint[])
               AS one (id, portal, account, person, lane, key, hash, message_id, reference, subject, size, recipients, at,
                   expires_at)
           ON CONFLICT (portal, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
           RETURNING id"#,
    )
    .bind(column(&rows, |row| row.id.clone()))
    .bind(column(&rows, |row| row.portal.clone()))
    .bind(column(&rows, |row| row.account.clone()))
    .bind(column(&rows, |row| row.user.clone()))
    .bind(column(&rows, |row| row.lane.clone()))
    .bind(column(&rows, |row| row.key.clone()))
    .bind(column(&rows, |row| row.hash.clone()))
    .bind(column(&rows, |row| row.message_id.clone()))
    .bind(column(&rows, |row| row.reference.clone()))
    .bind(column(&rows, |row| row.subject.clone()))
    .bind(column(&rows, |row| row.size))
    .bind(column(&rows, |row| row.recipients.clone()))
    .bind(column(&rows, |row| row.at))
    .bind(MessageState::Queued.as_str())
    .bind(column(&rows, |row| row.expires_at));
    let inserted: Vec<String> = inserted.fetch_all(connection).await?;
    Ok(inserted.into_iter().collect())
}

pub(super) async fn insert_contents(
    connection: &mut PgConnection,
    messages: &[&QueuedMessage],
) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    sqlx::query("INSERT INTO content (message, sealed) SELECT * FROM unnest($1::text[], $2::bytea[])")
        .bind(messages.iter().map(|new| new.id.to_string()).collect::<Vec<_>>())
        .bind(messages.iter().map(|new| &new.sealed[..]).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// What was given earlier with the keys of these messages.
pub(super) async fn by_keys(
    connection: &mut PgConnection,
    messages: &[&QueuedMessage],
) -> Result<HashMap<Uuid, Inserted>, StoreError> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT message.portal, message.idempotency_key, message.id, message.request_hash
         FROM unnest($1::text[], $2::text[]) AS given (portal, key)
         JOIN message ON message.portal = given.portal AND message.idempotency_key = given.key",
    )
    .bind(messages.iter().map(|new| new.lane.account.portal.clone()).collect::<Vec<_>>())
    .bind(messages.iter().map(|new| new.idempotency_key.as_deref().map(text)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut stored: HashMap<(String, Option<String>), &PgRow> = HashMap::new();
    for row in &rows {
        stored.insert((row.try_get("portal")?, row.try_get("idempotency_key")?), row);
    }
    let known = messages.iter().map(|new| {
        let key = (new.lane.account.portal.clone(), new.idempotency_key.as_deref().map(text));
        let row = stored.get(&key).ok_or_else(|| wrong("idempotency_key", &new.id.to_string()))?;
        Ok((new.id, known(*row, &new.request_hash)?))
    });
    known.collect()
}
