//! Server side. `GET /api/v1/messages/{id}`.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::HeaderMap,
};

use super::{
    caller, message_id,
    view::{MessageView, view},
};
use crate::http::{
    Site,
    api::problem::{Code, Problem},
};

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
