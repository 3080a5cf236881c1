//! Server side. What the holder of a lease writes about its messages.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    super::{PostgresStore, column, transaction::transaction},
    locks::lock_messages,
};
use crate::store::{
    StoreError,
    codec::{encode, settlements::released},
    outbox::CommitMark,
};

/// Compare-and-set on locked messages: a mark holds while the lease does. A message has one lease, so a mark with
/// another token does not hold.
pub(in crate::store::postgres) async fn mark_commit(
    connection: &mut PgConnection,
    marks: &[&CommitMark],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let to: Vec<Option<String>> = marks
        .iter()
        .map(|mark| mark.to.as_ref().map(|to| encode("message", "ending_to", to)).transpose())
        .collect::<Result<_, _>>()?;
    let marked: Vec<(String, String)> = sqlx::query_as(
        "UPDATE message SET ending_at = $4, ending_to = mark.recipients
         FROM unnest($1::text[], $2::text[], $3::text[]) AS mark (id, lease, recipients)
         WHERE message.id = mark.id AND message.state = 'sending' AND message.lease_owner = mark.lease
           AND message.lease_until > $4
         RETURNING message.id, message.lease_owner",
    )
    .bind(column(marks, |mark| mark.id.to_string()))
    .bind(column(marks, |mark| mark.lease_token.clone()))
    .bind(&to)
    .bind(now.as_millisecond())
    .fetch_all(connection)
    .await?;
    let marked: HashSet<(String, String)> = marked.into_iter().collect();
    Ok(marks.iter().map(|mark| marked.contains(&(mark.id.to_string(), mark.lease_token.clone()))).collect())
}

/// Releases messages, in the states that `released` gives.
pub(super) async fn release(
    store: &PostgresStore,
    lease_token: &str,
    ids: &[Uuid],
    next_at: Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    transaction!(store, transaction, {
        let locked = lock_messages(&mut transaction, &ids).await?;
        let released = released(&locked, lease_token)?;
        sqlx::query(
            "UPDATE message SET state = one.state, next_at = $1, lease_owner = NULL, lease_until = NULL,
                 ending_at = NULL, ending_to = NULL,
                 wakings = coalesce((SELECT lane.wakings FROM lane
                     WHERE lane.lane = message.lane AND lane.fallback = message.fallback), 0)
             FROM unnest($2::text[], $3::text[]) AS one (id, state) WHERE message.id = one.id",
        )
        .bind(next_at.as_millisecond())
        .bind(column(&released, |one| one.id.clone()))
        .bind(column(&released, |one| one.state))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    })
}
