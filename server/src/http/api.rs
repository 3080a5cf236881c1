//! Server side. `/api/v1`: what a portal's server calls.
//!
//! | file | what it is |
//! |---|---|
//! | `key` | which portal is calling |
//! | `problem` | what goes wrong, as RFC 9457 wants it said |
//! | `request` | a message as it is asked for, and what is wrong with it |
//! | `messages` | the endpoints |
//! | `description` | `OpenAPI`, made of the types themselves, and a page to read it |
//!
//! No browser takes part: the key stands in the `Authorization` header, and cookies are not looked at. To add an endpoint: a
//! handler with its `utoipa::path`, a line here, a line in `description`, and `docs/messages.md`.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, get, post},
};

use self::problem::{Code, Problem};
use super::Site;

mod description;
mod key;
mod messages;
mod problem;
mod request;
#[cfg(test)]
mod tests;

pub use key::make as make_key;

/// Under which everything is that a portal's server calls.
pub const PREFIX: &str = "/api/v1/";

async fn nowhere() -> Problem {
    Problem::detailed(Code::NotFound, "there is no such endpoint: see /api")
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
        .route("/api/v1/{*endpoint}", any(nowhere))
        .method_not_allowed_fallback(other_method)
        .route("/api/openapi.json", get(description::json))
        .route("/api", get(description::page))
        .layer(DefaultBodyLimit::max(messages::LARGEST_BODY))
}
