//! Server side. A message and its attempts, as the API shows them.

use app::profile::model::ProfileId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::outbox::{Attempt, AttemptOutcome, MessageState, Recipient, StoredMessage, Via};

/// A message and its state.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    pub id: Uuid,
    pub account: String,
    pub user: Option<String>,
    pub reference: Option<String>,
    /// The header `Message-ID`, without angle brackets.
    pub message_id: String,
    pub subject: String,
    /// Size of subject, texts and files, in bytes.
    pub size: u64,
    pub state: MessageState,
    /// The stage of cause and reply: `resolve`, `connect`, `tls`, `greeting`, `ehlo`, `starttls`, `auth`, `mail_from`, `rcpt_to`
    /// or `data`.
    pub stage: Option<String>,
    /// Why it is waiting or has failed: a code of the diagnosis, such as `bad_credentials`. `null` when it is accepted: failed
    /// recipients have causes of their own.
    pub cause: Option<String>,
    /// The server's reply: text, at most 500 characters.
    pub reply: Option<String>,
    /// The profile used for the last attempt.
    pub profile: Option<Uuid>,
    pub recipients: Vec<Recipient>,
    pub attempts: Vec<AttemptView>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// A message that has not been sent by then fails.
    #[schema(format = DateTime)]
    pub expires_at: String,
    #[schema(format = DateTime)]
    pub next_attempt_at: Option<String>,
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
}

/// One attempt to send a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// From 1.
    pub number: u32,
    #[schema(format = DateTime)]
    pub at: String,
    pub duration_ms: u64,
    /// `null` if the attempt ended with a crash or before it had a route.
    pub via: Option<Via>,
    pub profile: Option<Uuid>,
    pub outcome: AttemptOutcome,
    pub stage: Option<String>,
    pub cause: Option<String>,
    pub reply: Option<String>,
    /// The server's id of the message.
    pub queue_id: Option<String>,
}

pub fn view(row: StoredMessage, attempts: Vec<Attempt>) -> MessageView {
    MessageView {
        id: row.id,
        account: row.lane.account.account,
        user: row.lane.user,
        reference: row.reference,
        message_id: row.message_id,
        subject: row.subject,
        size: row.size,
        state: row.state,
        stage: row.stage.map(|stage| stage.as_str().to_owned()),
        cause: row.cause.map(|cause| cause.as_str().to_owned()),
        reply: row.reply,
        profile: row.profile.map(|ProfileId(id)| id),
        recipients: row.recipients,
        attempts: attempts.into_iter().zip(1..).map(attempt_view).collect(),
        created_at: row.created_at.to_string(),
        updated_at: row.updated_at.to_string(),
        expires_at: row.expires_at.to_string(),
        next_attempt_at: row.next_at.filter(|_| !row.state.is_final()).map(|at| at.to_string()),
        finished_at: row.finished_at.map(|at| at.to_string()),
    }
}

fn attempt_view((attempt, number): (Attempt, u32)) -> AttemptView {
    AttemptView {
        number,
        at: attempt.at.to_string(),
        duration_ms: attempt.duration_ms,
        via: attempt.via,
        profile: attempt.profile.map(|ProfileId(id)| id),
        outcome: attempt.outcome,
        stage: attempt.stage.map(|stage| stage.as_str().to_owned()),
        cause: attempt.cause.map(|cause| cause.as_str().to_owned()),
        reply: attempt.reply,
        queue_id: attempt.queue_id,
    }
}
