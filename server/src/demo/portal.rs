//! Server side. The demo portal: the back office of a shop, on an origin of its own. It signs tokens as a real portal
//! would, and opens the configurator with its element, in a frame or in a page.
//!
//! It represents an existing product, so it shares nothing with the configurator: its own pages, its own style.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Form, Json, Router,
    extract::{Path, Query, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};

use super::sandbox::{Inbox, Received};
use app::services::Clock;

mod accounts;
mod inbox;
mod look;
mod open;
mod pages;
mod quotes;
#[cfg(test)]
mod tests;
mod words;

use look::Reader;
pub use quotes::Api;

/// The key the portal shares with the configurator.
#[derive(Clone)]
pub struct SigningKey {
    pub id: String,
    /// HS256: at least 32 bytes.
    pub secret: Vec<u8>,
}

/// The portal's options.
#[derive(Clone)]
pub struct PortalOptions {
    /// `http://localhost:4000`
    pub public_url: String,
    /// `http://127.0.0.1:3000`
    pub configurator_url: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    pub key: SigningKey,
    pub inbox: Inbox,
    pub clock: Clock,
    pub starttls_port: u16,
    pub tls_port: u16,
    /// The API that sends the portal's quotes.
    pub api: Api,
}

type Portal = State<Arc<PortalOptions>>;

/// The portal's routes.
pub fn router(options: PortalOptions) -> Router {
    let options = Arc::new(options);
    Router::new()
        .route("/", get(|| async { Redirect::to("/boulangerie-martin") }))
        .route("/style.css", get(look::style))
        .route("/events.js", get(look::events))
        .route("/favicon.svg", get(look::icon))
        .route("/favicon.ico", get(look::icon))
        .route("/inbox", get(show_inbox))
        .route("/inbox/empty", post(empty_inbox))
        .route("/inbox/{id}", get(show_mail))
        .route("/inbox.json", get(list_mails))
        .route("/{account}", get(home))
        .route("/{account}/settings", get(settings))
        .route("/{account}/settings/sending", get(sending))
        .route("/{account}/quotes/{number}", post(send_quote))
        .route("/{account}/token", post(give_token))
        .route("/{account}/open/{page}", get(open_configurator))
        .layer(middleware::from_fn_with_state(options.clone(), look::protect))
        .with_state(options)
}

async fn home(
    State(portal): Portal,
    Path(account): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
    reader: Reader,
) -> Response {
    match accounts::find(&account) {
        Some(account) => {
            let states = portal.api.states(account).await;
            let refused = asked.get("refused").map(String::as_str).unwrap_or_default();
            pages::home(&reader, account, &states, refused).into_response()
        }
        None => not_found(&portal, &reader),
    }
}

async fn settings(State(portal): Portal, Path(account): Path<String>, reader: Reader) -> Response {
    match accounts::find(&account) {
        Some(account) => pages::settings(&reader, account).into_response(),
        None => not_found(&portal, &reader),
    }
}

async fn sending(State(portal): Portal, Path(account): Path<String>, reader: Reader) -> Response {
    match accounts::find(&account) {
        Some(account) => pages::sending(&portal, &reader, account).into_response(),
        None => not_found(&portal, &reader),
    }
}

async fn open_configurator(
    State(portal): Portal,
    Path((account, page)): Path<(String, String)>,
    reader: Reader,
) -> Response {
    let known = ["sending-mode", "profiles"].contains(&page.as_str());
    match accounts::find(&account).filter(|_| known) {
        Some(account) => match open::page(&portal, account, &page, &reader) {
            Ok(page) => page.into_response(),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot sign the token");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        },
        None => not_found(&portal, &reader),
    }
}

async fn show_inbox(State(portal): Portal, reader: Reader) -> Response {
    inbox::list(&portal, &reader).into_response()
}

async fn show_mail(State(portal): Portal, Path(id): Path<u64>, reader: Reader) -> Response {
    match portal.inbox.get(id) {
        Some(mail) => inbox::mail(&reader, &mail).into_response(),
        None => not_found(&portal, &reader),
    }
}

async fn list_mails(State(portal): Portal) -> Json<Vec<Received>> {
    Json(portal.inbox.messages())
}

/// The request of `<smtp-configurator>` for a token.
#[derive(Default, serde::Deserialize)]
struct Wanted {
    challenge: Option<String>,
}

/// Answers `<smtp-configurator>` with a token. A real portal identifies its user by its own cookie.
async fn give_token(
    State(portal): Portal,
    Path(account): Path<String>,
    reader: Reader,
    headers: HeaderMap,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let Some(account) = accounts::find(&account) else { return StatusCode::NOT_FOUND.into_response() };
    if !is_ours(&portal, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Form(Wanted { challenge }) = wanted.unwrap_or_default();
    match open::token(&portal, account, "sending-mode", reader.locale.tag(), challenge.as_deref()) {
        Ok(token) => token.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot sign the token");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Posts a quote to Facteur, and shows the list again.
async fn send_quote(
    State(portal): Portal,
    Path((account, number)): Path<(String, String)>,
    reader: Reader,
    headers: HeaderMap,
) -> Response {
    let quote = quotes::QUOTES.iter().find(|quote| quote.number == number);
    let (Some(account), Some(quote)) = (accounts::find(&account), quote) else { return not_found(&portal, &reader) };
    if !is_ours(&portal, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let after = match portal.api.send(account, quote).await {
        Ok(()) => String::new(),
        Err(code) => format!("?refused={code}"),
    };
    Redirect::to(&format!("/{}{after}", account.slug)).into_response()
}

/// Whether the request comes from a page of the portal.
fn is_ours(portal: &PortalOptions, headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).map(HeaderValue::as_bytes) == Some(portal.public_url.as_bytes())
}

async fn empty_inbox(State(portal): Portal, headers: HeaderMap) -> Response {
    if !is_ours(&portal, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    portal.inbox.clear();
    Redirect::to("/inbox").into_response()
}

fn not_found(_: &PortalOptions, reader: &Reader) -> Response {
    (StatusCode::NOT_FOUND, pages::not_found(reader)).into_response()
}
