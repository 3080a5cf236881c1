//! Server side. Version 1 of the API: the endpoints of messages, accounts and sessions.
//!
//! No browser takes part: the key is in the `Authorization` header, and cookies are ignored.
//!
//! | file | what it is |
//! |---|---|
//! | `api_key` | which portal is calling |
//! | `accounts` | how an account sends |
//! | `messages` | the endpoints of messages |
//! | `sessions` | the end of a person's sessions |
//! | `body_memory` | the memory budget for bodies |

use axum::{
    Router,
    routing::{any, get, post},
};

use super::problem::{Code, Problem};
use crate::http::Site;

pub mod accounts;
pub mod api_key;
pub mod body_memory;
pub mod messages;
pub mod sessions;
#[cfg(test)]
mod tests;

/// Whether a path belongs to version 1 of the API, existing or not.
pub fn is_v1(path: &str) -> bool {
    path.strip_prefix("/api/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// For any version.
pub async fn nowhere() -> Problem {
    Problem::new(Code::NoSuchEndpoint)
}

async fn other_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

/// The routes.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/api/v1/messages", post(messages::create::create).get(messages::list::list))
        .route("/api/v1/messages/{id}", get(messages::get::get))
        .route("/api/v1/messages/{id}/resend", post(messages::resend::resend))
        .route("/api/v1/accounts/{account}", get(accounts::get))
        .route("/api/v1", any(nowhere))
        .route("/api/v1/", any(nowhere))
        .route("/api/v1/{*endpoint}", any(nowhere))
        .method_not_allowed_fallback(other_method)
}
