//! Server side. Refuses a form with an unknown field: saving the other fields would hide that this one was lost.

use app::{
    error::{AppError, wants_page_of},
    forms::{is_function, unknown_field},
    session::Visit,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::is_a_form;
use crate::http::{BODY_LIMIT, Site};

/// Longest name that the error repeats.
const LONGEST: usize = 60;

pub async fn refuse(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_form = is_a_form(request.headers());
    // Without a session the response says so, even for an invalid form.
    let open = matches!(request.extensions().get::<Visit>(), Some(Visit::Open(_)));
    if request.method() != Method::POST || !is_form || !open {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let names: Vec<_> = form_urlencoded::parse(&body).map(|(name, _)| name).collect();
    // A form's fields are in its body; those of an address would be ignored.
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let stray = form_urlencoded::parse(query).map(|(name, _)| name).next().filter(|_| is_function(parts.uri.path()));
    let unknown = stray.or_else(|| {
        unknown_field(parts.uri.path(), names.iter().map(AsRef::as_ref)).map(|name| name.to_owned().into())
    });
    let Some(unknown) = unknown else {
        return next.run(Request::from_parts(parts, Body::from(body))).await;
    };
    // Untrusted name: printable and truncated.
    let field: String = unknown.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let error = AppError::UnknownField { field };
    if wants_page_of(&parts) {
        let page = format!("{}{}", site.base_path.0, error.page());
        return (StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response();
    }
    (error.status(), axum::Json(error)).into_response()
}
