//! Server side. Error responses that are not rendered by the application.

use std::any::Any;

use app::error::AppError;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::store::StoreError;

/// The response to a request from another origin.
pub fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], r#"{"code":"forbidden"}"#).into_response()
}

/// An error as a program reads it: its code, with its status.
pub fn coded(error: AppError) -> Response {
    (error.status(), axum::Json(error)).into_response()
}

/// The store failed for a program's request: 503 if a retry may succeed, 500 if a row or a value is at fault
/// ([`StoreError::log`] distinguishes them).
pub fn store_failed(failure: StoreError) -> Response {
    coded(failure.log())
}

/// A handler panicked: the process goes on, and the caller does not learn why.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], r#"{"code":"unavailable"}"#)
        .into_response()
}
