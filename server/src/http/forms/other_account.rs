//! Server side. Refuses a form that was opened for another account than the session's. A browser has one session, and
//! tabs of several accounts: a form opened under one account and sent under another writes nothing, not even a draft.
//! The response names the form's account, and holds what was typed, except for secrets, to be sent again.

use app::{
    error::{AppError, wants_page_of},
    i18n::Texts,
    session::{Session, SessionLeft, Visit},
    shell::{FrameAncestors, PageTheme},
    ui::form_owner::{FORM_OWNER, FormOwner},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{is_a_form, resume, takes_forms};
use crate::http::{BODY_LIMIT, Site};

/// Where the live test posts: its page shows lines.
const STREAM: &str = "/api/test/stream";

pub async fn refuse(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_form = *request.method() == Method::POST && takes_forms(request.uri().path());
    let session = match request.extensions().get::<Visit>() {
        Some(Visit::Open(session)) if is_form && is_a_form(request.headers()) => session.clone(),
        _ => return next.run(request).await,
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let said =
        form_urlencoded::parse(&body).find(|(name, _)| name == FORM_OWNER).map(|(_, value)| FormOwner::parse(&value));
    match said {
        Some(owner) if !owner.is(&FormOwner::of(&session)) => refusal(&site, &parts, &body, &session, &owner),
        // A program sends no owner.
        _ => next.run(Request::from_parts(parts, Body::from(body))).await,
    }
}

fn refusal(site: &Site, parts: &Parts, body: &Bytes, session: &Session, owner: &FormOwner) -> Response {
    tracing::info!(path = parts.uri.path(), "refused a form of another account");
    let (locale, error) = (session.locale, AppError::OtherAccount);
    let names = [("owner", owner.name.clone()), ("now", FormOwner::of(session).name)];
    let text = |key: &str| locale.text(key, &names);
    if parts.uri.path() == STREAM {
        let html = html! { div class="notice error" role="alert" { (text("other-account-live")) } }.into_string();
        let line = format!("{}\n", serde_json::json!({ "kind": "refused", "html": html }));
        return (error.status(), [(header::CONTENT_TYPE, "application/octet-stream")], line).into_response();
    }
    if !wants_page_of(parts) {
        return (error.status(), axum::Json(error)).into_response();
    }
    let Some(form) = resume::Form::read(parts.uri.path(), body) else {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{}{}", site.base_path.0, error.page()))])
            .into_response();
    };
    let ancestors = parts.extensions.get::<FrameAncestors>().map(|FrameAncestors(origins)| origins.clone());
    let PageTheme(theme) = parts.extensions.get::<PageTheme>().cloned().unwrap_or_default();
    resume::ResendPage {
        status: error.status(),
        locale,
        back: session.return_url.as_deref(),
        origins: &ancestors.unwrap_or_default(),
        theme: &theme,
        visit: "open",
        seconds: parts.extensions.get::<SessionLeft>().map(|SessionLeft(seconds)| *seconds),
        title: text("other-account-title"),
        about: text("other-account-about"),
        steps: [text("other-account-open"), text("other-account-then")],
        button: text("other-account-again"),
        form: &form,
    }
    .answer(site)
}
