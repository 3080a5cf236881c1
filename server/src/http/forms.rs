//! Server side. The forms of server functions: bounded in size and time, and refused before the function when
//! malformed.
//!
//! The framework decodes the form before the function can check the session, and answers 500 to a form it cannot
//! decode. So requests without a session are refused first, then malformed forms; a form that the framework could not
//! decode gets the response that the function itself would have given.

use app::{
    error::{AppError, AsksForPage, wants_page_of},
    forms::is_function,
    session::Visit,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    BODY_LIMIT, Site,
    connections::body::{BodyError, collect},
};

pub mod other_account;
pub mod resume;
pub mod unknown_fields;

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether our own pages post forms to this path: a server function, or a form that was kept after its session ended.
pub fn takes_forms(path: &str) -> bool {
    is_function(path) || path == resume::PATH
}

/// Reads the form of a server function, and refuses a malformed one.
///
/// Where a function names no page, the framework would redirect a browser to the `Referer`. It sees neither that header
/// nor `Accept` here: this function decides whether a page is wanted, and the server function which one
/// ([`app::error::finish`]).
pub async fn check(State(site): State<Site>, request: Request, next: Next) -> Response {
    if *request.method() != Method::POST || !takes_forms(request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let is_page = wants_page_of(&parts);
    parts.extensions.insert(AsksForPage(is_page));
    for name in [header::ACCEPT, header::REFERER] {
        parts.headers.remove(name);
    }
    let request = Request::from_parts(parts, body);
    let visit = request.extensions().get::<Visit>().cloned();
    // The functions themselves keep what was typed in a session that has ended.
    if visit.as_ref().is_none_or(|visit| matches!(visit, Visit::Stranger { .. })) {
        return refuse(&site, is_page, AppError::SessionRequired, None);
    }
    let is_open = matches!(visit, Some(Visit::Open(_)));
    let malformed = |status| {
        let error = if is_open { AppError::Malformed } else { AppError::SessionRequired };
        refuse(&site, is_page, error, Some(status).filter(|_| is_open))
    };
    if !is_a_form(request.headers()) {
        return malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let (parts, body) = request.into_parts();
    let body = match collect(body, BODY_LIMIT).await {
        Ok(body) if is_utf8(&body) => body,
        Ok(_) | Err(BodyError::Broken) => return malformed(StatusCode::BAD_REQUEST),
        Err(BodyError::TooLarge) => return malformed(StatusCode::PAYLOAD_TOO_LARGE),
        Err(BodyError::Timeout) => return malformed(StatusCode::REQUEST_TIMEOUT),
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    match framework_error(response).await {
        Ok(response) => response,
        Err(AppError::Malformed) => malformed(StatusCode::BAD_REQUEST),
        Err(error) => refuse(&site, is_page, error, None),
    }
}

/// The error behind the framework's 500, which it also returns for arguments that it cannot decode. Our own functions
/// answer 500 only for a fault of the service ([`AppError::Internal`]), and for the live test with its lines.
async fn framework_error(response: Response) -> Result<Response, AppError> {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(error) => Err(error),
        Err(_) => Ok(Response::from_parts(parts, Body::from(body))),
    }
}

/// Whether the content type is a form's, in any spelling.
pub fn is_a_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

/// Whether a form or a query decodes to UTF-8. The decoder itself would substitute replacement characters.
pub fn is_utf8(form: &[u8]) -> bool {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut decoded = Vec::with_capacity(form.len());
    let mut at = 0;
    while let Some(byte) = form.get(at) {
        let escaped = (*byte == b'%').then(|| Some(digit(form.get(at + 1))? * 16 + digit(form.get(at + 2))?)).flatten();
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(&decoded).is_ok()
}

/// A browser is redirected to the page that explains the error, a program gets the code.
fn refuse(site: &Site, is_page: bool, error: AppError, status: Option<StatusCode>) -> Response {
    if is_page {
        return Redirect::to(&format!("{}{}", site.base_path.0, error.page())).into_response();
    }
    (status.unwrap_or(error.status()), axum::Json(error)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_utf8_after_it_is_decoded() {
        for (form, expected) in [
            (&b"a=%C3%A9&b=%41+%"[..], true),
            (b"a=100%&b=%zz", true),
            ("a=é".as_bytes(), true),
            (b"a=%ff", false),
            (b"a=%C3", false),
            (b"a=\xff", false),
            (b"a=%ED%A0%80", false),
        ] {
            assert_eq!(is_utf8(form), expected, "{form:?}");
        }
    }
}
