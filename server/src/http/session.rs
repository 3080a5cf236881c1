//! Server side. A portal's token becomes a session.

use std::collections::BTreeMap;

use app::{
    error::AppError,
    i18n::Locale,
    session::{Session, Visit},
    theme::GivenTheme,
};
use axum::{
    Extension, Form, Json,
    extract::{
        State,
        rejection::{FormRejection, JsonRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use rand::{TryRngCore, rngs::OsRng};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Site, origin::is_our_form, pages::error};
use crate::{
    objects::Object,
    portal::{
        Portal,
        token::{Identity, Presented, StartPage, TokenError},
    },
    store::{SessionRow, StoreError},
};

pub mod cookie;
pub mod renew;
pub mod visit;

/// A session ends after so long without a request…
pub const IDLE: SignedDuration = SignedDuration::from_mins(60);
/// …and after so long in any case, unless the portal renews it.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// An ended session is remembered so long, for the way back to the portal.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// What the portal's form posts. Page, language and look may be chosen beside the token: they open nothing.
#[derive(Deserialize)]
pub struct Opening {
    token: String,
    /// What the token's challenge was made of, if it has one.
    #[serde(default)]
    verifier: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    locale: String,
    /// A theme as JSON.
    #[serde(default)]
    theme: String,
}

/// `POST /session`: a token that a portal's page posts becomes a cookie and a redirect to its page.
pub async fn open(
    State(site): State<Site>,
    headers: HeaderMap,
    form: Result<Form<Opening>, FormRejection>,
) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).unwrap_or_default();
    enter(&site, &headers, origin, form, |presented, now| site.token_verifier().verify(presented, origin, now)).await
}

/// `POST /session/tab`: the same, from our own page: in a frame whose cookie the browser refuses, a form opens a tab with the
/// token that the portal's page handed to it.
pub async fn open_tab(
    State(site): State<Site>,
    headers: HeaderMap,
    form: Result<Form<Opening>, FormRejection>,
) -> Response {
    if !is_our_form(&headers, &site.public_origin) {
        tracing::warn!("a tab asked for by another origin refused");
        return error::forbidden();
    }
    enter(&site, &headers, "", form, |presented, now| site.token_verifier().verify_from_our_page(presented, now)).await
}

/// Opens a session for a valid token; every refusal gets the same page.
async fn enter<'a>(
    site: &'a Site,
    headers: &HeaderMap,
    origin: &str,
    form: Result<Form<Opening>, FormRejection>,
    check: impl FnOnce(&Presented<'_>, Timestamp) -> Result<(&'a Portal, Identity), TokenError>,
) -> Response {
    let accepted = accepted_language(headers);
    let Ok(Form(Opening { token, verifier, page, locale: chosen, theme })) = form else {
        tracing::warn!(reason = "no form with a token", "token refused");
        return error::token_refused(site, origin, accepted);
    };
    let locale = Locale::from_tag(&chosen).unwrap_or(accepted);
    let now = (site.clock)();
    let (portal, mut identity) = match check(&Presented { token: &token, verifier: &verifier }, now) {
        Ok(verified) => verified,
        Err(reason) => {
            // Untrusted: quote and truncate.
            let from: String = origin.chars().take(100).collect();
            tracing::warn!(reason = %reason, origin = ?from, "token refused");
            return error::token_refused(site, origin, locale);
        }
    };
    identity.page = StartPage::parse(&page).unwrap_or(identity.page);
    identity.locale = Locale::from_tag(&chosen).or(identity.locale);
    identity.theme = identity.theme.under(serde_json::from_str(&theme).map(|Object(theme)| theme).unwrap_or_default());
    match begin(site, portal, identity, headers, locale, now).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            tracing::warn!(reason = "used before", "token refused");
            error::token_refused(site, origin, locale)
        }
        Err(failure) => error::store_failed_page(site, locale, failure),
    }
}

/// Stores the session and answers with its cookie; `None` when the token was used before.
async fn begin(
    site: &Site,
    portal: &Portal,
    identity: Identity,
    headers: &HeaderMap,
    locale: Locale,
    now: Timestamp,
) -> Result<Option<Response>, StoreError> {
    let path = identity.page.path();
    let Some(value) = random() else { return Ok(Some(error::coded(AppError::Unavailable))) };
    if !start(site, portal, identity, headers, locale, value, now).await? {
        return Ok(None);
    }
    let key = Sha256::digest(value).into();
    let page = format!("{}{path}{}", site.base_path.0, visit::opening_query(headers, &key));
    Ok(Some((cookie::set(&site.public_origin, value), Redirect::to(&page)).into_response()))
}

/// What a cookie holds.
pub fn random() -> Option<[u8; 32]> {
    let mut value = [0_u8; 32];
    let filled = OsRng.try_fill_bytes(&mut value);
    if filled.is_err() {
        tracing::error!("the operating system provides no randomness");
    }
    filled.is_ok().then_some(value)
}

/// Stores the session whose cookie holds `value`, in the place of the one whose cookie came along. Not when the token was used
/// before.
pub async fn start(
    site: &Site,
    portal: &Portal,
    identity: Identity,
    headers: &HeaderMap,
    locale: Locale,
    value: [u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !site.store.use_token(&portal.id, &identity.jti, identity.expires_at).await? {
        return Ok(false);
    }
    site.store.sweep(now, now - REMEMBERED).await?;
    if let Some(former) = cookie::key(&site.public_origin, headers) {
        site.store.delete_session(&former).await?;
    }
    let key = Sha256::digest(value).into();
    let session = Session {
        key,
        account: identity.account,
        account_name: identity.account_name,
        portal_name: portal.name.clone(),
        person: identity.person,
        email: identity.email,
        users: identity.users,
        locale: identity.locale.unwrap_or(locale),
        return_url: identity.return_url,
        theme: identity.theme,
    };
    site.store.insert_session(&SessionRow { session, expires_at: now + IDLE, ends_at: now + LONGEST }).await?;
    Ok(true)
}

/// The language that the browser asks for.
pub fn accepted_language(headers: &HeaderMap) -> Locale {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(Locale::from_accept_language)
        .unwrap_or_default()
}

/// `POST /session/theme`: the page around the frame changes how it looks. What is not a value is ignored; the answer is
/// what to put on the document.
pub async fn set_theme(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    given: Result<Json<Object<GivenTheme>>, JsonRejection>,
) -> Response {
    let Visit::Open(session) = &visit else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(Json(Object(given))) = given else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let given = session.theme.clone().under(given);
    match site.store.set_theme(&session.key, &given).await {
        Ok(true) => {
            let theme = visit::look(&site, &Session { theme: given, ..(**session).clone() });
            let variables: BTreeMap<String, String> = theme.declarations().into_iter().collect();
            Json(json!({ "scheme": theme.scheme(), "variables": variables })).into_response()
        }
        Ok(false) => StatusCode::UNAUTHORIZED.into_response(),
        Err(failure) => error::store_failed(failure),
    }
}
