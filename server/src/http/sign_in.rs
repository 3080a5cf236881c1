//! Server side. The window in which an owner signs in at a provider: opening it, the provider's answer, its last page;
//! and what the form's page asks meanwhile.
//!
//! The window has no session: the frame's cookie is partitioned, and a browser does not send it to a window of its own.
//! A cookie of its own binds it to the sign-in.

use app::{
    error::AppError,
    i18n::{Locale, Texts},
    session::Visit,
    sign_in::{
        model::{Outcome, Progress, SignInId},
        port::SignIns,
    },
    theme::Theme,
};
use axum::{
    Extension, Form, Json,
    extract::{Path, Query, State, rejection::FormRejection, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};

use super::{Site, origin::is_our_form, pages::error, session::accepted_language};
use crate::sign_in::{Answer, Opened};

mod cookie;
mod window;

use window::{Shown, show};

/// The form of the page that opens the window.
#[derive(Deserialize)]
pub struct Ticket {
    #[serde(default)]
    ticket: String,
}

/// `POST /oauth/go`: uses up the ticket, and leads to the provider's page. The answer is a page that leads on by itself:
/// a redirect would be refused by the form's own `form-action`, which browsers apply to redirects.
pub async fn go(State(site): State<Site>, headers: HeaderMap, form: Result<Form<Ticket>, FormRejection>) -> Response {
    if !is_our_form(&headers, &site.public_origin) {
        tracing::warn!("refused a sign-in that another origin requested");
        return error::forbidden();
    }
    let Ok(Form(Ticket { ticket })) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let language = accepted_language(&headers);
    match site.sign_ins.open(&ticket).await {
        Ok(Some(Opened::Window(window))) => {
            let cookie = cookie::set(&site.public_origin, &window.browser);
            let theme = theme_of(&site, &window.portal);
            (AppendHeaders([(header::SET_COOKIE, cookie)]), show(&site, window.locale, &theme, &Shown::Leads(window)))
                .into_response()
        }
        Ok(Some(Opened::Unavailable(answered))) => {
            let theme = theme_of(&site, &answered.portal);
            let page = show(&site, answered.locale, &theme, &Shown::Ended(answered));
            (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
        }
        Ok(None) => ended(&site, language, StatusCode::GONE),
        Err(error) => ended(&site, language, error.status()),
    }
}

/// What the provider adds to the redirect URI.
#[derive(Deserialize)]
pub struct Redirected {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    #[serde(default)]
    error_description: String,
    iss: Option<String>,
}

/// `GET /oauth/callback/{client}`: the provider's answer. Each client has a redirect URI of its own, so that one
/// provider's answer cannot be taken for another's (RFC 9700 §4.4).
pub async fn callback(
    State(site): State<Site>,
    Path(client): Path<String>,
    headers: HeaderMap,
    query: Result<Query<Redirected>, QueryRejection>,
) -> Response {
    let language = accepted_language(&headers);
    let Ok(Query(Redirected { state, code, error, error_description, iss })) = query else {
        return ended(&site, language, StatusCode::BAD_REQUEST);
    };
    let browser = cookie::value(&site.public_origin, &headers);
    let answer = Answer { state, code, error, error_description, issuer: iss, browser };
    match site.sign_ins.answer(&client, answer).await {
        // Code and state leave the address bar.
        Ok(Some(answered)) => {
            Redirect::to(&format!("{}/oauth/done?id={}", site.base_path.0, answered.id)).into_response()
        }
        Ok(None) => ended(&site, language, StatusCode::GONE),
        Err(error) => ended(&site, language, error.status()),
    }
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    id: String,
}

/// `GET /oauth/done`: the last page of the window.
pub async fn done(
    State(site): State<Site>,
    headers: HeaderMap,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let language = accepted_language(&headers);
    let id = query.ok().and_then(|Query(asked)| SignInId::parse(&asked.id));
    let (Some(id), Some(browser)) = (id, cookie::value(&site.public_origin, &headers)) else {
        return ended(&site, language, StatusCode::GONE);
    };
    match site.sign_ins.ended_in(id, &browser).await {
        Ok(Some(answered)) => {
            let theme = theme_of(&site, &answered.portal);
            show(&site, answered.locale, &theme, &Shown::Ended(answered)).into_response()
        }
        Ok(None) => ended(&site, language, StatusCode::GONE),
        Err(error) => ended(&site, language, error.status()),
    }
}

/// How far a sign-in is, for the page that waits.
#[derive(Serialize)]
struct Waiting {
    ended: bool,
}

/// `GET /oauth/progress?id=…`: whether the sign-in of this session has ended.
pub async fn progress(
    State(site): State<Site>,
    visit: Extension<Visit>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Visit::Open(session) = &*visit else { return error::coded(AppError::SessionRequired) };
    let id = query.ok().and_then(|Query(asked)| SignInId::parse(&asked.id));
    let Some(id) = id else { return error::coded(AppError::NotFound) };
    match site.sign_ins.get(session, id).await {
        Ok(Some(sign_in)) => {
            let ended = matches!(sign_in.progress, Progress::Ended(_) | Progress::Expired);
            Json(Waiting { ended }).into_response()
        }
        Ok(None) => error::coded(AppError::NotFound),
        Err(error) => error::coded(error),
    }
}

/// The sign-in is over, unknown, or another browser's: nothing about it is shown.
fn ended(site: &Site, locale: Locale, status: StatusCode) -> Response {
    let theme = Theme::read([]).0;
    (status, show(site, locale, &theme, &Shown::Over)).into_response()
}

fn theme_of(site: &Site, portal: &str) -> Theme {
    Theme::read(site.portals.iter().find(|known| known.id == portal).map(|portal| &portal.theme)).0
}

/// The text of an outcome: title and sentence.
fn words(locale: Locale, outcome: &Outcome, provider: &str) -> [String; 2] {
    let key = outcome.key();
    let identity = match outcome {
        Outcome::Connected { identity, .. } => identity.clone(),
        _ => String::new(),
    };
    let arguments = [("provider", provider.to_owned()), ("identity", identity)];
    [format!("sign-in-{key}-title"), format!("sign-in-{key}-window")].map(|key| locale.text(&key, &arguments))
}
