//! Server side. `/api/v1`: what a portal's server calls.
//!
//! | file | what it is |
//! |---|---|
//! | `v1` | the endpoints |
//! | `problem` | errors as problem details (RFC 9457) |
//! | `json` | how a body is parsed |
//! | `description` | `OpenAPI`, made of the types themselves, and a page to read it |
//!
//! To add an endpoint: a handler with its `utoipa::path`, a line in `v1`, a line in `description`, and `docs/messages.md`.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};

use self::problem::Problem;
use super::Site;

mod description;
mod json;
pub mod problem;
#[cfg(test)]
mod tests;
pub mod v1;

pub use v1::{
    api_key::make as make_key,
    body_memory::{BodyBudget, BodyMemory},
    is_v1,
};

/// Turns every error under `/api` into a problem, also those of the framework and of
/// the table of pages.
pub async fn problems_only(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/");
    // A browser that posted a form is answered with a page, or with the lines of a live test.
    let is_forms = *request.method() == Method::POST && !is_v1(path);
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_answer = kind.starts_with("text/html") || kind.starts_with("application/octet-stream");
    let is_problem = kind.contains("json") || (is_forms && is_answer);
    if !is_api || !(status.is_client_error() || status.is_server_error()) || is_problem {
        return response;
    }
    let mut told = Problem::of_status(status).into_response();
    *told.status_mut() = status;
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    told
}

/// The routes.
pub fn routes() -> Router<Site> {
    v1::routes()
        .route("/api/openapi.json", get(description::json))
        .route("/api", get(description::page))
        .layer(DefaultBodyLimit::max(v1::messages::LARGEST_BODY))
}
