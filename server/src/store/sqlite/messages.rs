//! Server side. Messages: given, looked at, claimed, given back.

use std::collections::HashMap;

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::{
    SqliteStore,
    queue::{REST, with_rests},
    rows::encode,
    transaction::begin,
};
use crate::store::{
    MessageStore, StoreError,
    codec::{
        lists::{AFTER_ALL, Dialect, page, settled, settled_by_day, settled_day},
        messages::{COLUMNS, NEXT_AT, RequeuedRow, attempt, by_id, message, with_attempts},
    },
    flow::messages::{self as flow, MessageStatements},
    one_writer::{Batch, OneWriter},
    outbox::{
        Attempt, Inserted, MessageState, MessageWithAttempts, QueuedMessage, ResendOutcome, ResendRule, ResendTimes,
        SettledDay, StoredMessage,
    },
};

mod insert;
mod rows;

pub(super) use insert::insert_messages;
use rows::{by_key, shown};

/// How the list of an account's messages is read. What waits for a rest is deferred, though its own row does not say so
/// ([`StateFilter`](crate::store::outbox::StateFilter)).
const LISTS: Dialect = Dialect {
    parameter: '?',
    sending: "INDEXED BY message_leased",
    rests: formatcp!(
        "EXISTS (SELECT 1 FROM lane LEFT JOIN destination USING (destination)
             WHERE lane.lane = message.lane AND lane.fallback = message.fallback
               AND max(lane.rests_until, ifnull(destination.rests_until, 0)) > {NEXT_AT})"
    ),
    besides: formatcp!(
        "{REST},
         (SELECT json_group_array(content)
          FROM (SELECT content FROM attempt WHERE attempt.message = message.id ORDER BY number)) AS attempts"
    ),
};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn insert(&self, messages: &[&QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        let batch = Batch { messages: messages.to_vec(), ..Batch::default() };
        Ok(self.write(&batch).await?.inserted)
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
        self.move_outcome_of(id).await;
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&self.pool).await?;
        let mut rows = shown(&self.writer, row.as_slice()).await?;
        with_rests(&self.pool, &mut rows).await?;
        Ok(rows.pop())
    }

    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError> {
        self.move_outcome_of(id).await;
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
    ) -> Result<Vec<MessageWithAttempts>, StoreError> {
        self.move_outcomes().await;
        let rows = sqlx::query(AssertSqlSafe(page(state, &LISTS)))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(before.map_or_else(|| AFTER_ALL.to_owned(), |id| id.to_string()))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let messages = shown(&self.writer, &rows).await?;
        with_attempts(&rows, messages)
    }

    async fn settled_through(
        &self,
        account: &AccountId,
        profile: ProfileId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.move_outcomes().await;
        let rows = sqlx::query(AssertSqlSafe(settled(&LISTS)))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(profile.to_string())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        shown(&self.writer, &rows).await
    }

    async fn settled_by_day(
        &self,
        account: &AccountId,
        profile: ProfileId,
        since: Timestamp,
    ) -> Result<Vec<SettledDay>, StoreError> {
        self.move_outcomes().await;
        let rows = sqlx::query(AssertSqlSafe(settled_by_day(&LISTS, "fallback = 0")))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(profile.to_string())
            .bind(since.as_millisecond())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(settled_day).collect()
    }

    async fn contents_of(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<u8>>, StoreError> {
        if ids.iter().any(|id| self.outcomes.contains(*id)) {
            self.move_outcomes().await;
        }
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let found: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT message, sealed FROM content WHERE message IN (SELECT value FROM json_each(?))")
                .bind(encode("content", "message", &ids)?)
                .fetch_all(&self.pool)
                .await?;
        by_id(found)
    }

    async fn resend(
        &self,
        portal: &str,
        id: Uuid,
        times: ResendTimes,
        rule: ResendRule,
    ) -> Result<ResendOutcome, StoreError> {
        self.move_outcome_of(id).await;
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::resend(&mut *transaction, portal, id, times, rule).await?;
        transaction.end(ended).await
    }
}

#[async_trait]
impl MessageStatements for SqliteConnection {
    async fn locked_message(&mut self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE portal = ? AND id = ?");
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&mut *self).await?;
        row.as_ref().map(message).transpose()
    }

    async fn has_content(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let kept = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM content WHERE message = ?)");
        Ok(kept.bind(id.to_string()).fetch_one(&mut *self).await?)
    }

    async fn requeue(&mut self, row: &RequeuedRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE message SET state = ?1, stage = ?2, cause = ?3, reply = ?4, recipients = ?5, next_at = ?6,
                 updated_at = ?6, expires_at = ?7, tries = 0, fallback = 0, finished_at = NULL,
                 wakings = ifnull((SELECT lane.wakings FROM lane WHERE lane.lane = message.lane AND lane.fallback = 0), 0)
             WHERE id = ?8",
        )
        .bind(row.state)
        .bind(row.stage)
        .bind(row.cause)
        .bind(row.reply.as_deref())
        .bind(&row.recipients)
        .bind(row.at)
        .bind(row.expires_at)
        .bind(&row.id)
        .execute(&mut *self)
        .await?;
        Ok(())
    }
}
