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
    routing::{get, post},
};

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

/// The routes.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/api/v1/messages", post(messages::give).get(messages::list))
        .route("/api/v1/messages/{id}", get(messages::get))
        .route("/api/v1/messages/{id}/resend", post(messages::resend))
        .route("/api/openapi.json", get(description::json))
        .route("/api", get(description::page))
        .layer(DefaultBodyLimit::max(messages::LARGEST_BODY))
}
