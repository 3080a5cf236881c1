//! Server side. Messages: given, looked at, given back.

use std::collections::HashMap;

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgRow};
use uuid::Uuid;

use super::{
    PostgresStore, limit,
    queue::{REST, with_rests},
    set_aside::set_aside,
    text,
    transaction::transaction,
};
use crate::store::{
    MessageStore, StoreError,
    codec::{
        lists::{AFTER_ALL, Dialect, page, settled, settled_by_day, settled_day},
        messages::{self, COLUMNS, NEXT_AT, RequeuedRow, attempt, by_id, known, message, with_attempts},
    },
    flow::messages::{self as flow, MessageStatements},
    outbox::{
        Attempt, Inserted, MessageState, MessageWithAttempts, QueuedMessage, ResendOutcome, ResendRule, ResendTimes,
        SettledDay, StoredMessage,
    },
};

mod insert;

use insert::{by_keys, insert_contents};

/// How the list of an account's messages is read. What waits for a rest is deferred, though its own row does not say so
/// ([`StateFilter`](crate::store::outbox::StateFilter)).
const LISTS: Dialect = Dialect {
    parameter: '$',
    sending: "",
    rests: formatcp!(
        "EXISTS (SELECT 1 FROM lane LEFT JOIN destination USING (destination)
             WHERE lane.lane = message.lane AND lane.fallback = message.fallback
               AND greatest(lane.rests_until, destination.rests_until) > {NEXT_AT})"
    ),
    besides: formatcp!(
        "{REST},
         (SELECT coalesce(json_agg(content ORDER BY number), '[]')::text
          FROM attempt WHERE attempt.message = message.id) AS attempts"
    ),
};

#[async_trait]
impl MessageStore for PostgresStore {
    async fn insert(&self, messages: &[&QueuedMessage]) -> Result<Vec<Inserted>, StoreError> {
        // What has the same key is waited for: always in the same order.
        let mut sorted: Vec<&QueuedMessage> = messages.to_vec();
        sorted.sort_by(|one, other| {
            let key = |new: &QueuedMessage| (new.lane.account.portal.clone(), new.idempotency_key.clone());
            key(one).cmp(&key(other))
        });
        transaction!(self, transaction, {
            let new = insert::insert(&mut transaction, &sorted).await?;
            let (new, known): (Vec<_>, Vec<_>) =
                sorted.iter().copied().partition(|message| new.contains(&message.id.to_string()));
            insert_contents(&mut transaction, &new).await?;
            let known = by_keys(&mut transaction, &known).await?;
            transaction.commit().await?;
            let outcome = |message: &&QueuedMessage| known.get(&message.id).copied().unwrap_or(Inserted::New);
            Ok(messages.iter().map(outcome).collect())
        })
    }

    async fn message_by_key(
        &self,
        portal: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Inserted>, StoreError> {
        let row = sqlx::query("SELECT id, request_hash FROM message WHERE portal = $1 AND idempotency_key = $2")
            .bind(portal)
            .bind(text(key))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| known(&row, request_hash)).transpose()
    }

    async fn message(&self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError> {
        const SQL: &str = formatcp!("SELECT {COLUMNS} FROM message WHERE portal = $1 AND id = $2");
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&self.pool).await?;
        let mut rows = shown(&self.pool, row.as_slice()).await?;
        with_rests(&self.pool, &mut rows).await?;
        Ok(rows.pop())
    }

    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError> {
        let found: Vec<String> = sqlx::query_scalar("SELECT content FROM attempt WHERE message = $1 ORDER BY number")
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
        most: u32,
    ) -> Result<Vec<MessageWithAttempts>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(page(state, &LISTS)))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(before.map_or_else(|| AFTER_ALL.to_owned(), |id| id.to_string()))
            .bind(limit(most))
            .fetch_all(&self.pool)
            .await?;
        let messages = shown(&self.pool, &rows).await?;
        with_attempts(&rows, messages)
    }

    async fn settled_through(
        &self,
        account: &AccountId,
        profile: ProfileId,
        most: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(settled(&LISTS)))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(profile.to_string())
            .bind(limit(most))
            .fetch_all(&self.pool)
            .await?;
        shown(&self.pool, &rows).await
    }

    async fn settled_by_day(
        &self,
        account: &AccountId,
        profile: ProfileId,
        since: Timestamp,
    ) -> Result<Vec<SettledDay>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(settled_by_day(&LISTS, "NOT fallback")))
            .bind(&account.portal)
            .bind(&account.account)
            .bind(profile.to_string())
            .bind(since.as_millisecond())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(settled_day).collect()
    }

    async fn contents_of(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<u8>>, StoreError> {
        let found: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT message, sealed FROM content WHERE message = ANY ($1)")
                .bind(ids.iter().map(Uuid::to_string).collect::<Vec<_>>())
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
        transaction!(self, transaction, {
            let ended = flow::resend(&mut *transaction, portal, id, times, rule).await?;
            transaction.end(ended).await
        })
    }
}

#[async_trait]
impl MessageStatements for PgConnection {
    async fn locked_message(&mut self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError> {
        const SQL: &str =
            formatcp!("SELECT {COLUMNS} FROM message WHERE portal = $1 AND id = $2 FOR UPDATE OF message");
        let row = sqlx::query(SQL).bind(portal).bind(id.to_string()).fetch_optional(&mut *self).await?;
        row.as_ref().map(message).transpose()
    }

    async fn has_content(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let kept = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM content WHERE message = $1)");
        Ok(kept.bind(id.to_string()).fetch_one(&mut *self).await?)
    }

    async fn requeue(&mut self, row: &RequeuedRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE message SET state = $1, stage = $2, cause = $3, reply = $4, recipients = $5, next_at = $6,
                 updated_at = $6, expires_at = $7, tries = 0, fallback = FALSE, finished_at = NULL,
                 wakings = coalesce(
                     (SELECT lane.wakings FROM lane WHERE lane.lane = message.lane AND NOT lane.fallback), 0)
             WHERE id = $8",
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

/// Rows for display: one that cannot be decoded is set aside, and shown as quarantined.
async fn shown(pool: &PgPool, rows: &[PgRow]) -> Result<Vec<StoredMessage>, StoreError> {
    let (shown, damaged) = messages::shown(rows)?;
    set_aside(pool, &damaged).await?;
    Ok(shown)
}
