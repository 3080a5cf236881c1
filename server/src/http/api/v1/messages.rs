//! Server side. The endpoints of messages.

use app::{profile::model::ProfileId, session::AccountId};
use axum::{
    Extension, Json,
    body::{Body, HttpBody},
    extract::{
        Path, Query, RawQuery, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::api_key;
use crate::{
    http::{
        Site,
        api::problem::{Code, Problem},
        connections::listener::Client,
        forms::is_utf8,
    },
    outbox::Refused,
    portal::Portal,
    store::outbox::{Attempt, AttemptOutcome, MessageState, Recipient, ResendOutcome, StoredMessage, Via},
};

pub mod request;

use request::MessageRequest;

/// Largest body, in bytes: 25 MB of files in base64, two texts, and what is between.
pub const LARGEST_BODY: usize = 40 * 1024 * 1024;
const LONGEST_KEY: usize = 255;
/// Messages a page of the list holds, unless another number is asked for, and at most.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// What the list may be asked.
const QUERY: &str = "account is required; state, before (an id) and limit (1 to 200) may be given; nothing else";

/// A message accepted from a portal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub id: Uuid,
    pub state: MessageState,
    /// The header `Message-ID`, without angle brackets. It never changes.
    pub message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

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

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// The newest first.
    pub messages: Vec<MessageView>,
    /// The value of `before` for the next page; `null` on the last one.
    pub next: Option<Uuid>,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The portal's id of the account.
    account: String,
    /// Only messages in this state.
    #[param(inline)]
    state: Option<MessageState>,
    /// Only messages older than this one.
    before: Option<Uuid>,
    /// 1 to 200; default: 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

fn caller<'a>(site: &'a Site, headers: &HeaderMap) -> Result<&'a Portal, Problem> {
    api_key::portal(&site.portals, headers).ok_or_else(|| {
        tracing::warn!("API key refused");
        Problem::new(Code::Unauthorized)
    })
}

/// Send a message
///
/// 202 means that the message is on disk. It will be sent, retried, or reported as failed; a crash neither loses it nor sends
/// it twice. A request with the same `Idempotency-Key` and body gets 202 with the same id, and
/// `Idempotency-Replayed: true`.
#[utoipa::path(
    post,
    path = "/api/v1/messages",
    tag = "messages",
    request_body = MessageRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters, unique for each message")),
    responses(
        (status = 202, description = "The message is on disk", body = Accepted),
        (status = 400, description = "`malformed_json`, `invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "`body_too_slow`: retry", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`no_profile`, `profile_incomplete`, `no_relay`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_message`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`: a fault of the service's own", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`busy`, `unavailable`: retry", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn give(
    State(site): State<Site>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let portal = caller(&site, &headers)?;
    if let Some(Extension(client)) = client {
        client.vouch();
    }
    let idempotency_key = idempotency_key(&headers)?;
    let is_json = only(&headers, &header::CONTENT_TYPE)?
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LARGEST_BODY) {
        return Err(Problem::new(Code::TooLarge));
    }
    let length = length.or_else(|| body.size_hint().exact().and_then(|length| usize::try_from(length).ok()));
    let (body, _held) = site.intake.read(&portal.id, body, length).await?;
    // Until the message is on disk.
    let turn = site.intake.turn(body.len()).await;
    let now = (site.clock)();
    let draft = if turn.is_some() {
        let portal = portal.id.clone();
        let read = move || request::read(&portal, idempotency_key, &body, now);
        tokio::task::spawn_blocking(read).await.map_err(|_| Problem::new(Code::Unavailable))??
    } else {
        request::read(&portal.id, idempotency_key, &body, now)?
    };
    let reference = draft.reference.clone();
    let taken = site.outbox.enqueue(draft).await?;
    let mut accepted = Accepted { id: taken.id, state: MessageState::Queued, message_id: taken.message_id, reference };
    if !taken.fresh
        && let Some(row) = site.store.message(&portal.id, taken.id).await?
    {
        (accepted.state, accepted.message_id) = (row.state, row.message_id);
    }
    let location = format!("{}/api/v1/messages/{}", site.base_path.0, accepted.id);
    let mut response = (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(accepted)).into_response();
    if !taken.fresh {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The id in a path.
fn message_id(path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
    let Path(id) = path.map_err(|_| Problem::detailed(Code::InvalidRequest, "the path is not UTF-8"))?;
    Uuid::try_parse(&id).map_err(|_| Problem::new(Code::NotFound))
}

/// A header that may appear at most once: two would be ambiguous.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut all = headers.get_all(name).iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(Problem::detailed(Code::InvalidRequest, format!("the header {name} is present more than once")));
    }
    Ok(first)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = only(headers, &HeaderName::from_static("idempotency-key"))? else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
        let detail = "Idempotency-Key is 1 to 255 visible ASCII characters";
        return Err(Problem::detailed(Code::InvalidRequest, detail));
    }
    Ok(Some(key.to_owned()))
}

/// Get a message
#[utoipa::path(
    get,
    path = "/api/v1/messages/{id}",
    tag = "messages",
    params(("id" = Uuid, Path, description = "The id from the response to `POST`")),
    responses(
        (status = 200, description = "The message", body = MessageView),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn get(
    State(site): State<Site>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<MessageView>, Problem> {
    let portal = caller(&site, &headers)?;
    let id = message_id(id)?;
    let row = site.store.message(&portal.id, id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let attempts = site.store.attempts(row.id).await?;
    Ok(Json(view(row, attempts)))
}

/// List an account's messages
#[utoipa::path(
    get,
    path = "/api/v1/messages",
    tag = "messages",
    params(ListQuery),
    responses(
        (status = 200, description = "The newest first", body = MessagePage),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(site): State<Site>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<MessagePage>, Problem> {
    let portal = caller(&site, &headers)?;
    if !raw.is_none_or(|raw| is_utf8(raw.as_bytes())) {
        return Err(Problem::detailed(Code::InvalidRequest, "the query is not UTF-8"));
    }
    let Query(ListQuery { account, state, before, limit }) =
        query.map_err(|_| Problem::detailed(Code::InvalidRequest, QUERY))?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::detailed(Code::InvalidRequest, "limit is 1 to 200"));
    }
    let account = AccountId { portal: portal.id.clone(), account };
    let rows = site.store.messages(&account, state, before, limit).await?;
    let next = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.message.id)).flatten();
    let messages = rows.into_iter().map(|row| view(row.message, row.attempts)).collect();
    Ok(Json(MessagePage { messages, next }))
}

/// Resend a message
///
/// Sends a finished message to the recipients that are not `accepted`; the others get no second copy. Its `Message-ID` stays
/// the same.
#[utoipa::path(
    post,
    path = "/api/v1/messages/{id}/resend",
    tag = "messages",
    params(("id" = Uuid, Path, description = "The id from the response to `POST`")),
    responses(
        (status = 202, description = "The message is on disk", body = Accepted),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_finished`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`content_gone`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn resend(
    State(site): State<Site>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let portal = caller(&site, &headers)?;
    let id = message_id(id)?;
    let resent = site.outbox.resend(&portal.id, id).await.map_err(|error| Problem::from(Refused::from(error)))?;
    match resent {
        ResendOutcome::Done => {}
        ResendOutcome::NotFound => return Err(Problem::new(Code::NotFound)),
        ResendOutcome::NotFinished => return Err(Problem::new(Code::NotFinished)),
        ResendOutcome::ContentGone => return Err(Problem::new(Code::ContentGone)),
    }
    let row = site.store.message(&portal.id, id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let accepted = Accepted { id, state: row.state, message_id: row.message_id, reference: row.reference };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

fn view(row: StoredMessage, attempts: Vec<Attempt>) -> MessageView {
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
