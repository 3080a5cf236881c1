//! Server side. Commit marks: notes that the end of a message is about to be sent.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;
use sqlx::SqliteConnection;

use super::super::rows::encode;
use crate::store::{StoreError, outbox::CommitMark};

/// `false` where the lease does not hold any more.
pub(in crate::store::sqlite) async fn mark_commit(
    connection: &mut SqliteConnection,
    marks: &[&CommitMark],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let rows = marks.iter().map(|mark| {
        let CommitMark { id, lease_token, to } = mark;
        let to = to.as_ref().map(|to| encode("message", "ending_to", to)).transpose()?;
        Ok(json!({ "id": id.to_string(), "lease": lease_token, "to": to }))
    });
    let marked: Vec<(String, String)> = sqlx::query_as(
        "UPDATE message SET ending_at = ?2, ending_to = mark.value ->> 'to'
         FROM json_each(?1) AS mark
         WHERE message.id = mark.value ->> 'id' AND message.state = 'sending'
           AND message.lease_owner = mark.value ->> 'lease' AND message.lease_until > ?2
         RETURNING message.id, message.lease_owner",
    )
    .bind(encode("message", "ending_to", &rows.collect::<Result<Vec<_>, StoreError>>()?)?)
    .bind(now.as_millisecond())
    .fetch_all(connection)
    .await?;
    // A message has one lease: a mark with another token did not hold.
    let marked: HashSet<(String, String)> = marked.into_iter().collect();
    Ok(marks.iter().map(|mark| marked.contains(&(mark.id.to_string(), mark.lease_token.clone()))).collect())
}
