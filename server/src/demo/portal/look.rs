//! Server side. The frame of the portal's pages: header, the « + » menu, language, style, headers.

use std::sync::Arc;

use app::i18n::Locale;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, html};

use super::{
    PortalOptions,
    accounts::{ACCOUNTS, Account},
    words::word,
};

/// The reader of a page: the language, and the nonce of its scripts.
pub(super) struct Reader {
    pub locale: Locale,
    pub nonce: Nonce,
}

/// The one-time value that lets a page's own script run.
#[derive(Clone)]
pub(super) struct Nonce(pub String);

impl Reader {
    pub(super) fn word(&self, key: &str) -> &'static str {
        word(self.locale, key)
    }
}

/// The language: `?lang=`, else the cookie, else the browser's.
fn language(parts: &Parts) -> Locale {
    let query = parts.uri.query().unwrap_or_default();
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Locale::from_tag);
    let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let kept = header(header::COOKIE)
        .and_then(|cookies| cookies.split("; ").find_map(|cookie| cookie.strip_prefix("lang=")))
        .and_then(Locale::from_tag);
    asked
        .or(kept)
        .or_else(|| header(header::ACCEPT_LANGUAGE).and_then(Locale::from_accept_language))
        .unwrap_or_default()
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let nonce = parts.extensions.get::<Nonce>().cloned().unwrap_or_else(|| Nonce(String::new()));
        Ok(Self { locale: language(parts), nonce })
    }
}

/// Security headers, and the cookie that stores a requested language.
pub(super) async fn protect(State(portal): State<Arc<PortalOptions>>, request: Request, next: Next) -> Response {
    let nonce = Nonce(BASE64_STANDARD.encode(uuid::Uuid::new_v4().as_bytes()));
    let (mut parts, body) = request.into_parts();
    let locale = language(&parts);
    // A mail's own styles are in attributes; its frame has the policy of the page around it.
    let mail = if parts.uri.path().starts_with("/inbox/") { " style-src-attr 'unsafe-inline';" } else { "" };
    let asked = parts.uri.query().is_some_and(|query| query.contains("lang="));
    parts.extensions.insert(nonce.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let configurator = &portal.configurator_url;
    let policy = format!(
        "default-src 'none'; style-src 'self';{mail} script-src 'nonce-{}'; connect-src 'self'; img-src 'self'; frame-src 'self' {configurator}; \
         form-action 'self' {configurator}; frame-ancestors 'self'; base-uri 'none'",
        nonce.0
    );
    let headers: &mut HeaderMap = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // The configurator takes a token from this origin only, so the post must name it.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if asked && let Ok(cookie) = HeaderValue::try_from(format!("lang={}; Path=/; SameSite=Lax", locale.tag())) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// A page of the back office. `account` is the open one; the inbox belongs to none.
pub(super) fn page(reader: &Reader, title: &str, account: Option<&Account>, content: &Markup) -> Markup {
    let word = |key| reader.word(key);
    let base = account.map_or("/boulangerie-martin".to_owned(), |account| format!("/{}", account.slug));
    let other_language = match reader.locale {
        Locale::Fr => "en",
        Locale::En => "fr",
    };
    html! {
        (DOCTYPE)
        html lang=(reader.locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (word("product")) }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
            }
            body {
                a.skip href="#content" { (word("skip")) }
                header {
                    a.brand href=(base) { (word("product")) }
                    @if let Some(account) = account { span.account { (account.name) } }
                    nav aria-label=(word("menu")) {
                        details.menu {
                            summary { span aria-hidden="true" { "+" } span.hidden { (word("menu")) } }
                            ul {
                                li { a href=(base) { (word("home")) } }
                                li { a href={ (base) "/settings" } { (word("settings")) } }
                                li { a href="/inbox" { (word("inbox")) } }
                                @for other in ACCOUNTS.iter().filter(|other| account.is_none_or(|open| open.slug != other.slug)) {
                                    li { a href={ "/" (other.slug) } { (word("other-account")) " " (other.name) } }
                                }
                                li { a href={ "?lang=" (other_language) } lang=(other_language) { (word("language")) } }
                            }
                        }
                    }
                }
                main #content tabindex="-1" {
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}

/// `GET /events.js`: shows the events of the configurator's element.
pub(super) async fn events() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("events.js"))
}

/// `GET /style.css`.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// `GET /favicon.svg`, and `/favicon.ico` for documents that are not pages: browsers request it on their own.
pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("favicon.svg"))
}
