//! Server side. Whether the process lives, and whether it can work.

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use super::Site;

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers, and the vault's keys open it. What is wrong is logged, and said in a word.
pub async fn ready(State(site): State<Site>) -> impl IntoResponse {
    match site.vault.check(&*site.store).await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "not ready");
            match error {
                crate::vault::CanaryError::WrongKey(_) => (StatusCode::SERVICE_UNAVAILABLE, "vault"),
                crate::vault::CanaryError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "database"),
            }
        }
    }
}
