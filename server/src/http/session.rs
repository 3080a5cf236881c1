//! Server side. The door: a portal's token becomes a session, and each request's cookie becomes a visit.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    i18n::Locale,
    session::{Session, Visit},
    shell::{FrameAncestors, PageTheme, SessionLeft},
    theme::{GivenTheme, Theme},
};
use axum::{
    Extension, Form, Json,
    extract::{
        Request, State,
        rejection::{FormRejection, JsonRejection},
    },
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand::{TryRngCore, rngs::OsRng};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Site, error};
use crate::{
    portal_auth::{Identity, Portal, StartPage, verify},
    profiles::unavailable,
    store::{SessionRow, StoreError},
};

/// `__Host-`: only this host, only over a secure connection, every path.
const COOKIE: &str = "__Host-facteur";
/// A session ends after so long without a request…
pub(super) const IDLE: SignedDuration = SignedDuration::from_mins(60);
/// …and after so long in any case, unless the portal renews it.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// An ended session is remembered so long, for the way back to the portal.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// A session is prolonged at most this often: not every request is a write.
const PROLONG_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// What the portal's form posts. Page, language and look may be chosen beside the token: they open nothing.
#[derive(Deserialize)]
pub struct Opening {
    token: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    locale: String,
    /// A theme as JSON.
    #[serde(default)]
    theme: String,
}

/// `GET /`: the first page.
pub async fn home(State(site): State<Site>) -> Redirect {
    Redirect::to(&format!("{}/sending-mode", site.place.0))
}

/// `POST /session`: a token becomes a cookie and a redirect to its page.
pub async fn open(
    State(site): State<Site>,
    headers: HeaderMap,
    form: Result<Form<Opening>, FormRejection>,
) -> Response {
    let locale = accepted_language(&headers);
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(Form(Opening { token, page, locale: chosen, theme })) = form else {
        tracing::warn!(reason = "no form with a token", "token refused");
        return error::token_refused(&site, origin, locale);
    };
    let now = (site.clock)();
    let (portal, mut identity) = match verify(&site.portals, &token, origin, now) {
        Ok(verified) => verified,
        Err(reason) => {
            // Whatever a stranger sends as its origin: quoted, and not for ever.
            let from: String = origin.chars().take(100).collect();
            tracing::warn!(reason = %reason, origin = ?from, "token refused");
            return error::token_refused(&site, origin, locale);
        }
    };
    identity.page = StartPage::parse(&page).unwrap_or(identity.page);
    identity.locale = Locale::from_tag(&chosen).or(identity.locale);
    identity.theme = identity.theme.under(serde_json::from_str(&theme).unwrap_or_default());
    match begin(&site, portal, identity, &headers, locale, now).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            tracing::warn!(reason = "used before", "token refused");
            error::token_refused(&site, origin, locale)
        }
        Err(failure) => {
            unavailable(failure);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
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
    if !site.store.use_token(&portal.id, &identity.jti, identity.expires_at).await? {
        return Ok(None);
    }
    site.store.sweep(now, now - REMEMBERED).await?;
    if let Some(former) = cookie_key(headers) {
        site.store.delete_session(&former).await?;
    }
    let mut value = [0_u8; 32];
    if OsRng.try_fill_bytes(&mut value).is_err() {
        tracing::error!("the operating system gives no randomness");
        return Ok(Some(StatusCode::SERVICE_UNAVAILABLE.into_response()));
    }
    let page = format!("{}{}", site.place.0, identity.page.path());
    let session = Session {
        key: Sha256::digest(value).into(),
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
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
        BASE64_URL_SAFE_NO_PAD.encode(value)
    );
    Ok(Some(([(header::SET_COOKIE, cookie)], Redirect::to(&page)).into_response()))
}

/// The key of the session that the cookie names.
fn cookie_key(headers: &HeaderMap) -> Option<[u8; 32]> {
    let jar = CookieJar::from_headers(headers);
    let value = BASE64_URL_SAFE_NO_PAD.decode(jar.get(COOKIE)?.value()).ok()?;
    (value.len() == 32).then(|| Sha256::digest(value).into())
}

fn accepted_language(headers: &HeaderMap) -> Locale {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(Locale::from_accept_language)
        .unwrap_or_default()
}

/// Puts the visit, and who may frame the answer, into every request. A store that fails is a visit that is not
/// answered.
pub async fn recognise(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/pkg/")
        || path.starts_with(super::api::PREFIX)
        || ["/session", "/healthz", "/readyz", "/embed.js", super::revoke::PATH].contains(&path)
    {
        return next.run(request).await;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match visit(&site, request.headers(), reads).await {
        Ok((visit, left)) => {
            request.extensions_mut().insert(frame_ancestors(&site, &visit));
            request.extensions_mut().insert(look(&site, &visit));
            request.extensions_mut().insert(site.place.clone());
            request.extensions_mut().insert(visit);
            request.extensions_mut().insert(SessionLeft(left));
            next.run(request).await
        }
        Err(failure) => {
            unavailable(failure);
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from_static("5"))]).into_response()
        }
    }
}

/// The visit, and how many seconds its session has left. Where the database cannot be written, what is there can still
/// be read.
async fn visit(site: &Site, headers: &HeaderMap, reads: bool) -> Result<(Visit, i64), StoreError> {
    let now = (site.clock)();
    let row = match cookie_key(headers) {
        Some(key) => site.store.session(&key).await?,
        None => None,
    };
    let Some(SessionRow { session, expires_at, ends_at }) = row else {
        // With one portal there is one way back; with several nobody knows which.
        let return_url = match &*site.portals {
            [portal] => portal.home.clone(),
            _ => None,
        };
        return Ok((Visit::Stranger { locale: accepted_language(headers), return_url }, 0));
    };
    if expires_at <= now || ends_at <= now {
        // A session that was revoked has no end of its own ([`Store::end_sessions`](crate::store::Store::end_sessions)).
        let who = (ends_at > Timestamp::UNIX_EPOCH).then(|| session.who());
        return Ok((Visit::Ended { locale: session.locale, return_url: session.return_url, who }, 0));
    }
    let mut prolonged = expires_at.duration_until(now + IDLE) > PROLONG_EVERY;
    if prolonged && let Err(failure) = site.store.prolong_session(&session.key, now + IDLE).await {
        if !reads {
            return Err(failure);
        }
        unavailable(failure);
        prolonged = false;
    }
    let end = if prolonged { now + IDLE } else { expires_at }.min(ends_at);
    Ok((Visit::Open(Arc::new(session)), now.duration_until(end).as_secs()))
}

/// The portal's theme, and the visit's over it.
fn look(site: &Site, visit: &Visit) -> PageTheme {
    let Visit::Open(session) = visit else { return PageTheme::default() };
    let portal = site.portals.iter().find(|portal| portal.id == session.account.portal);
    PageTheme(Theme::read(portal.map(|portal| &portal.theme).into_iter().chain([&session.theme])).0)
}

/// `POST /session/theme`: the page around the frame changes how it looks. What is not a value is ignored; the answer is
/// what to put on the document.
pub async fn set_theme(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    given: Result<Json<GivenTheme>, JsonRejection>,
) -> Response {
    let Visit::Open(session) = &visit else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(Json(given)) = given else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let given = session.theme.clone().under(given);
    match site.store.set_theme(&session.key, &given).await {
        Ok(true) => {
            let changed = Session { theme: given, ..(**session).clone() };
            let PageTheme(theme) = look(&site, &Visit::Open(Arc::new(changed)));
            let variables: BTreeMap<String, String> = theme.declarations().into_iter().collect();
            Json(json!({ "scheme": theme.scheme(), "variables": variables })).into_response()
        }
        Ok(false) => StatusCode::UNAUTHORIZED.into_response(),
        Err(failure) => {
            unavailable(failure);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The origins of the visit's portal; of every portal where nobody knows which.
fn frame_ancestors(site: &Site, visit: &Visit) -> FrameAncestors {
    let portal = match visit {
        Visit::Open(session) => Some(session.account.portal.as_str()),
        Visit::Ended { .. } | Visit::Stranger { .. } => None,
    };
    FrameAncestors(origins(site.portals.iter().filter(|known| portal.is_none_or(|id| id == known.id))))
}

/// Who may frame the refusal of a post from this origin: the portals that register it, or the only one there is. A
/// stranger does not learn who they are; empty where nobody may.
pub(super) fn refusal_ancestors(site: &Site, origin: &str) -> FrameAncestors {
    let registered = origins(site.portals.iter().filter(|portal| portal.registers(origin)));
    FrameAncestors(match &*site.portals {
        [only] if registered.is_empty() => only.origins.join(" "),
        _ => registered,
    })
}

fn origins<'a>(portals: impl Iterator<Item = &'a Portal>) -> String {
    portals.flat_map(|portal| &portal.origins).map(String::as_str).collect::<Vec<_>>().join(" ")
}
