//! Server side. Messages: given, looked at, claimed, given back.

use app::{diagnosis::cause::Cause, session::AccountId, test_run::event::Stage};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    SqliteStore,
    profiles::begin,
    queue::{REST, wait_for_rest, with_rests},
    rows::encode,
};
use crate::store::{
    MessageStore, StoreError,
    codec::messages::{attempt, attempts, message},
    outbox::{Attempt, Inserted, MessageState, QueuedMessage, ResendOutcome, ResendRule, StoredMessage},
};

mod insert;
mod rows;

pub(super) use crate::store::codec::messages::{COLUMNS, WAITING, readable};
use insert::{by_keys, insert, insert_contents};
use rows::{by_key, shown};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn insert_messages(&self, messages: &[QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let new = insert(&mut transaction, messages).await?;
        let (new, known): (Vec<_>, Vec<_>) = messages.iter().partition(|message| new.contains(&message.id.to_string()));
        insert_contents(&mut transaction, &new).await?;
        let known = by_keys(&mut transaction, &known).await?;
        transaction.commit().await?;
        let outcome = |message: &QueuedMessage| known.get(&message.id).copied().unwrap_or(Inserted::New);
        Ok(messages.iter().map(outcome).collect())
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
             WHERE portal = ?1 AND account = ?2 AND (?3 IS NULL OR id < ?3) AND (?4 IS NULL OR {STATE} = ?4) ORDER BY id DESC LIMIT ?5"
        );
        let rows = sqlx::query(SQL)
            .bind(&account.portal)
            .bind(&account.account)
            .bind(before.map(|id| id.to_string()))
            .bind(state.map(MessageState::as_str))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let messages = shown(&self.writer, &rows).await?;
        rows.iter()
            .zip(messages)
            .map(|(row, mut one)| {
                wait_for_rest(row, &mut one)?;
                let attempts = attempts(row, one.id)?;
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
        let recipients = encode("message", "recipients", &again.recipients)?;
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
