//! Server side. Turns each request's cookie into a visit, with the theme of its portal and the pages that may frame the
//! response.
//!
//! A browser that refuses the cookie of a frame follows the redirect without a session. To get the right language,
//! theme and frame policy anyway, the redirect into a frame names the opening ([`opening_query`]): the hash under which
//! the session is stored. It grants no access. A request without it learns of no portal that it did not name itself.

use std::sync::Arc;

use app::{
    i18n::Locale,
    session::{Session, SessionLeft, Visit},
    shell::{FrameAncestors, PageTheme},
    theme::Theme,
    ui::form_owner::{FORM_OWNER, FormOwner},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

use super::{IDLE, accepted_language, cookie, refused};
use crate::{
    http::{Site, api},
    portal::Portal,
    store::{SessionRow, StoreError},
};

/// A session is extended at most this often, so that most requests do not write.
const PROLONG_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// The parameter that names the opening.
const OPENING: &str = "opening";

/// What the session and the headers say about a request.
struct Caller {
    visit: Visit,
    /// How many seconds the session has left.
    left: i64,
    ancestors: FrameAncestors,
    theme: Theme,
}

/// Adds the visit, and who may frame the response, to every request. If the store fails, the response is its error.
pub async fn recognise(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/pkg/")
        || api::is_v1(path)
        || ["/session", "/session/tab", "/session/again", "/healthz", "/readyz", "/embed.js", "/embed.mjs"]
            .contains(&path)
    {
        return next.run(request).await;
    }
    let language = accepted_language(request.headers());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match caller(&site, request.uri(), request.headers(), reads).await {
        Ok(Caller { visit, left, ancestors, theme }) => {
            request.extensions_mut().insert(ancestors);
            request.extensions_mut().insert(PageTheme(theme));
            request.extensions_mut().insert(site.base_path.clone());
            request.extensions_mut().insert(visit);
            request.extensions_mut().insert(SessionLeft(left));
            next.run(request).await
        }
        Err(failure) => refused::store_failed_page(&site, language, failure),
    }
}

async fn caller(site: &Site, uri: &Uri, headers: &HeaderMap, reads: bool) -> Result<Caller, StoreError> {
    let cookie = cookie::key(&site.public_origin, headers);
    let opening = opening_of(uri);
    let own = match cookie {
        Some(key) => site.store.session(&key).await?,
        None => None,
    };
    let opened = match opening.filter(|_| opening != cookie) {
        Some(key) => site.store.session(&key).await?.map(|row| row.session),
        None => None,
    };
    match (own, opened) {
        (Some(own), Some(opened)) if !stands_for(&own, &opened, (site.clock)()) => Ok(without_cookie(site, opened)),
        (Some(own), _) => of_session(site, own, reads).await,
        (None, Some(opened)) => Ok(without_cookie(site, opened)),
        (None, None) if reads && comes_from_our_page(headers) => Ok(signed_out(site, uri, headers)),
        (None, None) => Ok(unknown(site, uri, headers)),
    }
}

/// Whether the session of an older cookie may replace the one that was just opened, whose cookie was refused. Not when
/// it has ended, and not when it belongs to another person: their pages must not mix.
fn stands_for(own: &SessionRow, opened: &Session, now: Timestamp) -> bool {
    let is_open = own.expires_at > now && own.ends_at > now;
    is_open && own.session.account == opened.account && own.session.person.id == opened.person.id
}

/// A visitor with a session, open or ended. Pages stay readable while the database cannot be written.
async fn of_session(site: &Site, row: SessionRow, reads: bool) -> Result<Caller, StoreError> {
    let now = (site.clock)();
    let SessionRow { session, expires_at, ends_at } = row;
    let (ancestors, theme) = (ancestors_of(site, &session), look(site, &session));
    if expires_at <= now || ends_at <= now {
        // A revoked session has no end of its own ([`Store::end_sessions`](crate::store::Store::end_sessions)).
        let who = (ends_at > Timestamp::UNIX_EPOCH).then(|| session.who());
        let visit = Visit::Ended { locale: session.locale, return_url: session.return_url, who };
        return Ok(Caller { visit, left: 0, ancestors, theme });
    }
    let mut prolonged = expires_at.duration_until(now + IDLE) > PROLONG_EVERY;
    if prolonged && let Err(failure) = site.store.prolong_session(&session.key, now + IDLE).await {
        if !reads {
            return Err(failure);
        }
        failure.log();
        prolonged = false;
    }
    let end = if prolonged { now + IDLE } else { expires_at }.min(ends_at);
    Ok(Caller { visit: Visit::Open(Arc::new(session)), left: now.duration_until(end).as_secs(), ancestors, theme })
}

/// A visitor whose browser did not keep the session cookie.
fn without_cookie(site: &Site, session: Session) -> Caller {
    let (ancestors, theme) = (ancestors_of(site, &session), look(site, &session));
    let visit = Visit::Stranger { locale: session.locale, return_url: session.return_url };
    Caller { visit, left: 0, ancestors, theme }
}

/// Whether a link of our own page was followed: that page was shown to a session.
fn comes_from_our_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
        && headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

/// A visitor whose session is no longer stored.
fn signed_out(site: &Site, uri: &Uri, headers: &HeaderMap) -> Caller {
    let caller = unknown(site, uri, headers);
    let visit = Visit::Ended {
        locale: caller.visit.locale(),
        return_url: caller.visit.return_url().map(str::to_owned),
        who: None,
    };
    Caller { visit, ..caller }
}

/// A visitor without a session. The referring page may be registered by a portal: the response reveals that, but not
/// the portal's other pages.
fn unknown(site: &Site, uri: &Uri, headers: &HeaderMap) -> Caller {
    let from =
        headers.get(header::REFERER).and_then(|value| value.to_str().ok()).and_then(origin_of).unwrap_or_default();
    let (portal, ancestors) = match (&refused::registered(site, from)[..], &*site.portals) {
        ([portal], _) => (Some(*portal), from.to_owned()),
        ([_, ..], _) => (None, from.to_owned()),
        // With one portal there is one way back, its `home`. Only a page of ours, which was shown to a session, learns
        // which pages may frame it.
        ([], [only]) => {
            let framed = is_framed(headers) && comes_from_our_page(headers);
            (Some(only), if framed { only.origins.join(" ") } else { String::new() })
        }
        ([], _) => (None, String::new()),
    };
    let visit = Visit::Stranger {
        locale: shown_language(uri).unwrap_or_else(|| accepted_language(headers)),
        return_url: portal.and_then(|portal| portal.home.clone()),
    };
    let theme = Theme::read(portal.map(|portal| &portal.theme)).0;
    Caller { visit, left: 0, ancestors: FrameAncestors(ancestors), theme }
}

/// The language in which our referring page was shown, if its link or form says so.
fn shown_language(uri: &Uri) -> Option<Locale> {
    let fields = || form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let value = |name: &str| fields().find(|(known, _)| known == name).map(|(_, value)| value);
    value("lang").and_then(|tag| Locale::from_tag(&tag)).or_else(|| FormOwner::parse(&value(FORM_OWNER)?).locale)
}

fn portal_of<'a>(site: &'a Site, session: &Session) -> Option<&'a Portal> {
    site.portals.iter().find(|portal| portal.id == session.account.portal)
}

fn ancestors_of(site: &Site, session: &Session) -> FrameAncestors {
    FrameAncestors(portal_of(site, session).map(|portal| portal.origins.join(" ")).unwrap_or_default())
}

/// The portal's theme, with the session's on top.
pub fn look(site: &Site, session: &Session) -> Theme {
    let portal = portal_of(site, session);
    Theme::read(portal.map(|portal| &portal.theme).into_iter().chain([&session.theme])).0
}

/// The parameter that names the opening in the redirect into a frame.
pub fn opening_query(headers: &HeaderMap, key: &[u8; 32]) -> String {
    let named = is_framed(headers).then(|| format!("?{OPENING}={}", BASE64_URL_SAFE_NO_PAD.encode(key)));
    named.unwrap_or_default()
}

fn opening_of(uri: &Uri) -> Option<[u8; 32]> {
    let value = uri.query()?.split('&').find_map(|pair| pair.strip_prefix(OPENING)?.strip_prefix('='))?;
    BASE64_URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()
}

/// Whether the browser says that it shows the response in a frame.
pub fn is_framed(headers: &HeaderMap) -> bool {
    let destination = headers.get("sec-fetch-dest").map(HeaderValue::as_bytes).unwrap_or_default();
    [&b"iframe"[..], b"frame", b"embed", b"object"].contains(&destination)
}

/// Scheme and authority of an address.
fn origin_of(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find('/').map_or(url.len(), |length| authority + length);
    Some(&url[..end])
}
