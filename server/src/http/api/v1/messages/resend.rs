//! Server side. `POST /api/v1/messages/{id}/resend`.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};

use super::{Accepted, caller, message_id};
use crate::{
    http::{
        Site,
        api::problem::{Code, Problem},
    },
    outbox::Refused,
    store::outbox::ResendOutcome,
};

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
