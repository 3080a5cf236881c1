//! Server side. `/api/v1`: what a portal's server calls.
//!
//! | file | what it is |
//! |---|---|
//! | `key` | which portal is calling |
//! | `problem` | what goes wrong, as RFC 9457 wants it said |
//! | `request` | a message as it is asked for, and what is wrong with it |
//! | `messages` | the endpoints |
//! | `intake` | the memory for bodies |
//! | `description` | `OpenAPI`, made of the types themselves, and a page to read it |
//!
//! No browser takes part: the key stands in the `Authorization` header, and cookies are not looked at. To add an endpoint: a
//! handler with its `utoipa::path`, a line here, a line in `description`, and `docs/messages.md`.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use self::problem::{Code, Problem};
use super::Site;

mod description;
mod intake;
pub(super) mod key;
mod messages;
pub(super) mod problem;
pub(super) mod request;
#[cfg(test)]
mod tests;

pub use intake::{BodyBudget, Intake};
pub use key::make as make_key;

/// Whether a path is one of a portal's server, also of those that do not exist.
pub fn is_v1(path: &str) -> bool {
    path.strip_prefix("/api/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whatever goes wrong under `/api` is told as a problem, also by those who know nothing of problems: the framework, and
/// the table of pages.
pub async fn tell_problems(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/");
    // A browser that posted a form is answered with a page, or with the lines of a live test.
    let is_forms = *request.method() == Method::POST && !is_v1(path);
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_answer = kind.starts_with("text/html") || kind.starts_with("application/octet-stream");
    let is_told = kind.contains("json") || (is_forms && is_answer);
    if !is_api || !(status.is_client_error() || status.is_server_error()) || is_told {
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

async fn nowhere() -> Problem {
    Problem::new(Code::NoSuchEndpoint)
}

async fn other_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

/// The routes.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/api/v1/messages", post(messages::give).get(messages::list))
        .route("/api/v1/messages/{id}", get(messages::get))
        .route("/api/v1/messages/{id}/resend", post(messages::resend))
        .route("/api/v1", any(nowhere))
        .route("/api/v1/", any(nowhere))
        .route("/api/v1/{*endpoint}", any(nowhere))
        .method_not_allowed_fallback(other_method)
        .route("/api/openapi.json", get(description::json))
        .route("/api", get(description::page))
        .layer(DefaultBodyLimit::max(messages::LARGEST_BODY))
}
