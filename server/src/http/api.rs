//! Server side. `/api/v1`: the API for a portal's server.
//!
//! | file | what it is |
//! |---|---|
//! | `v1` | the endpoints |
//! | `problem` | errors as problem details (RFC 9457) |
//! | `json` | parses a body |
//! | `description` | `OpenAPI`, made from the types, and a page to read it |
//!
//! To add an endpoint: a handler with its `utoipa::path`, a line in `v1`, a line in `description`, and
//! `docs/messages.md`.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, header},
    middleware::Next,
    response::Response,
    routing::{any, get},
};

use self::problem::Problem;
use super::{Site, forms};

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

/// Turns every error under `/api` into a problem, including errors of the framework, of the route table, and of a
/// handler that panics.
pub async fn problems_only(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/");
    let is_form = *request.method() == Method::POST && forms::takes_forms(path);
    let mut response = next.run(request).await;
    let status = response.status();
    if !is_api || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // A server function answers a browser with a page or the lines of a live test, and a program with its own codes.
    if is_form && ["text/html", "application/octet-stream", "application/json"].iter().any(|own| kind.starts_with(own))
    {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| Problem::of_status(status));
    let mut told = problem.answer(&site.base_path.0);
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
        .route("/api/", any(v1::nowhere))
        .route("/api/{*endpoint}", any(v1::nowhere))
        .route("/api/openapi.json", get(description::json))
        .route("/api", get(description::page))
        .layer(DefaultBodyLimit::max(v1::messages::LARGEST_BODY))
}
