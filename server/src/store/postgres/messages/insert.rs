//! Server side. New messages: each statement is for the whole batch.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::super::text;
use crate::store::{
    StoreError,
    codec::{
        encode,
        messages::{known, wrong},
    },
    outbox::{Inserted, MessageState, QueuedMessage},
};

/// Inserts messages with one statement, and gives the ids of those that are new: an idempotency key makes one message.
pub(super) async fn insert(
    connection: &mut PgConnection,
    messages: &[&QueuedMessage],
) -> Result<HashSet<String>, StoreError> {
    fn all<T>(messages: &[&QueuedMessage], of: impl Fn(&QueuedMessage) -> T) -> Vec<T> {
        messages.iter().map(|message| of(message)).collect()
    }
    let recipients: Vec<String> =
        messages.iter().map(|new| encode("message", "recipients", &new.recipients)).collect::<Result<_, _>>()?;
    let inserted = sqlx::query_scalar(
        r#"INSERT INTO message (id, portal, account, "user", lane, idempotency_key, request_hash, message_id, reference,
               subject, size, recipients, state, created_at, updated_at, expires_at, next_at, wakings)
           SELECT one.id, one.portal, one.account, one.person, one.lane, one.key, one.hash, one.message_id, one.reference,
               one.subject, one.size, one.recipients, $14, one.at, one.at, one.expires_at, one.at,
               coalesce((SELECT lane.wakings FROM lane WHERE lane.lane = one.lane AND NOT lane.fallback), 0)
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[],
                    $9::text[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $15::bigint[])
               AS one (id, portal, account, person, lane, key, hash, message_id, reference, subject, size, recipients, at,
                   expires_at)
           ON CONFLICT (portal, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
           RETURNING id"#,
    )
    .bind(all(messages, |new| new.id.to_string()))
    .bind(all(messages, |new| new.lane.account.portal.clone()))
    .bind(all(messages, |new| new.lane.account.account.clone()))
    .bind(all(messages, |new| new.lane.user.clone()))
    .bind(all(messages, |new| new.lane.key()))
    .bind(all(messages, |new| new.idempotency_key.as_deref().map(text)))
    .bind(all(messages, |new| new.request_hash.to_vec()))
    .bind(all(messages, |new| text(&new.message_id)))
    .bind(all(messages, |new| new.reference.as_deref().map(text)))
    .bind(all(messages, |new| text(&new.subject)))
    .bind(all(messages, |new| i64::try_from(new.size).unwrap_or(i64::MAX)))
    .bind(recipients)
    .bind(all(messages, |new| new.at.as_millisecond()))
    .bind(MessageState::Queued.as_str())
    .bind(all(messages, |new| new.expires_at.as_millisecond()));
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
