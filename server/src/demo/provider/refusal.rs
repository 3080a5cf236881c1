//! Server side. The errors of the token endpoint, in the form of Microsoft's.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::json;

/// A refused request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    /// Microsoft's number.
    code: u32,
    description: &'static str,
    /// Seconds.
    retry_after: Option<u32>,
    /// The client authenticated by a header.
    by_header: bool,
}

impl Refusal {
    pub(super) const fn new(error: &'static str, code: u32, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, code, description, retry_after: None, by_header: false }
    }

    /// The client is unknown, or its secret is wrong or has expired.
    pub(super) const fn client(code: u32, description: &'static str, by_header: bool) -> Self {
        let refusal = Self::new("invalid_client", code, description);
        Self { status: StatusCode::UNAUTHORIZED, by_header, ..refusal }
    }

    pub(super) const fn unavailable(retry_after: u32) -> Self {
        let refusal = Self::new(
            "temporarily_unavailable",
            90_033,
            "A transient error has occurred. Please try again in a moment.",
        );
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(retry_after), ..refusal }
    }

    pub(super) fn answer(&self, now: Timestamp) -> Response {
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.code, self.description
        );
        let body = Json(json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        }));
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.by_header {
            let scheme = HeaderValue::from_static("Basic realm=\"sandbox\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
