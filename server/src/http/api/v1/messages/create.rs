//! Server side. `POST /api/v1/messages`.

use axum::{
    Extension, Json,
    body::{Body, HttpBody},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mail::aside::{LARGE, aside};

use super::{
    Accepted, LARGEST_BODY, caller,
    request::{self, MessageRequest},
};
use crate::{
    http::{
        Site,
        api::problem::{Code, Problem},
        connections::listener::ClientConnection,
    },
    store::outbox::MessageState,
};

/// Longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 255;

/// Send a message
///
/// 202 means that the message is on disk. It will be sent, retried, or reported as failed; a crash neither loses it nor
/// sends it twice. A request with the same `Idempotency-Key` and body gets 202 with the same id, and
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
        (status = 500, description = "`internal`: an internal error", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`busy`, `unavailable`: retry", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn create(
    State(site): State<Site>,
    client: Option<Extension<ClientConnection>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let portal = caller(&site, &headers)?;
    if let Some(Extension(client)) = client {
        client.protect();
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
    let (body, _memory) = site.body_memory.read(&portal.id, body, length).await?;
    // Held until the message is on disk.
    let parse_permit = site.body_memory.parse_permit(body.len()).await;
    let now = (site.clock)();
    let draft = if parse_permit.is_some() {
        let portal = portal.id.clone();
        let read = move || request::read(&portal, idempotency_key, &body, now);
        tokio::task::spawn_blocking(read).await.map_err(|_| Problem::new(Code::Unavailable))??
    } else {
        aside(body.len() > LARGE, || request::read(&portal.id, idempotency_key, &body, now))?
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
