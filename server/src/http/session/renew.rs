//! Server side. A portal's page hands a fresh token to the frame. `POST /session/renew` extends the open session, so
//! that it does not end while its user types. `POST /session/again`: the session has ended, and another one begins
//! under the same page, which keeps what is typed in it.
//!
//! Only our own pages may ask ([`crate::http::origin`]). The token must be of the session's portal, account and person,
//! and works once like every other. A page of another person never continues under this session: it is opened again.

use app::{
    error::AppError,
    i18n::Locale,
    session::{Person, Session, Visit},
    ui::form_owner::FormOwner,
};
use axum::{
    Extension, Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{IDLE, LONGEST, accepted_language, cookie, random, start};
use crate::{
    http::{Site, pages::error},
    objects::Object,
    portal::token::Presented,
    store::StoreError,
};

/// The reason in the log.
const MISMATCH: &str = "of another account or person";
/// How many seconds the session has left.
const SECONDS_LEFT: HeaderName = HeaderName::from_static("session-seconds");

/// What the frame posts.
#[derive(Deserialize)]
pub struct Token {
    token: String,
    /// The verifier of the token's challenge, if it has one.
    #[serde(default)]
    verifier: String,
}

/// The result of a renewal.
enum Renewal {
    Done,
    Refused,
    /// The token belongs to another account or person.
    Mismatch,
}

impl Renewal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Done => StatusCode::NO_CONTENT,
            Self::Refused => StatusCode::UNAUTHORIZED,
            Self::Mismatch => StatusCode::CONFLICT,
        }
    }
}

/// 204 with the seconds left; 401 when this token does not renew this session, 409 when it belongs to another person.
pub async fn renew(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    form: Result<Form<Token>, FormRejection>,
) -> Response {
    let (Visit::Open(session), Ok(Form(Token { token, verifier }))) = (visit, form) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let now = (site.clock)();
    match try_renew(&site, &session, &Presented { token: &token, verifier: &verifier }, now).await {
        Ok(Renewal::Done) => {
            (Renewal::Done.status(), [(SECONDS_LEFT, HeaderValue::from(IDLE.as_secs()))]).into_response()
        }
        Ok(refused) => refused.status().into_response(),
        Err(failure) => error::store_failed(failure),
    }
}

async fn try_renew(
    site: &Site,
    session: &Session,
    presented: &Presented<'_>,
    now: Timestamp,
) -> Result<Renewal, StoreError> {
    let identity = match site.token_verifier().verify_renewal(presented, &session.account.portal, now) {
        Ok(identity) if identity.account == session.account && identity.person.id == session.person.id => identity,
        Ok(_) => {
            tracing::warn!(reason = MISMATCH, "renewal refused");
            return Ok(Renewal::Mismatch);
        }
        Err(reason) => {
            tracing::warn!(reason = %reason, "renewal refused");
            return Ok(Renewal::Refused);
        }
    };
    let renewed = site.store.use_token(&session.account.portal, &identity.jti, identity.expires_at).await?
        && site.store.renew_session(&session.key, now, now + IDLE, now + LONGEST).await?;
    Ok(if renewed { Renewal::Done } else { Renewal::Refused })
}

/// The frame's post after its session has ended: the token, and how its page was opened.
#[derive(Deserialize)]
pub struct Ended {
    #[serde(flatten)]
    token: Token,
    /// The owner of the page's form, if it has one.
    #[serde(default)]
    form_owner: String,
    #[serde(default)]
    locale: String,
    /// A theme as JSON.
    #[serde(default)]
    theme: String,
}

/// 204 with the cookie of another session and its seconds; 401 when this token opens none, 409 when it belongs to
/// another person than the page.
pub async fn reopen(
    State(site): State<Site>,
    headers: HeaderMap,
    form: Result<Form<Ended>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return StatusCode::UNAUTHORIZED.into_response() };
    let Some(value) = random() else { return error::coded(AppError::Unavailable) };
    match try_reopen(&site, &headers, &form, value, (site.clock)()).await {
        Ok(Renewal::Done) => {
            let left = [(SECONDS_LEFT, HeaderValue::from(IDLE.as_secs()))];
            (Renewal::Done.status(), left, cookie::set(&site.public_origin, value)).into_response()
        }
        Ok(refused) => refused.status().into_response(),
        Err(failure) => error::store_failed(failure),
    }
}

async fn try_reopen(
    site: &Site,
    headers: &HeaderMap,
    Ended { token: Token { token, verifier }, form_owner, locale, theme }: &Ended,
    value: [u8; 32],
    now: Timestamp,
) -> Result<Renewal, StoreError> {
    let (portal, mut identity) = match site.token_verifier().verify_from_our_page(&Presented { token, verifier }, now) {
        Ok(verified) => verified,
        Err(reason) => {
            tracing::warn!(reason = %reason, "renewal refused");
            return Ok(Renewal::Refused);
        }
    };
    let who = Person { account: identity.account.clone(), id: identity.person.id.clone() };
    let former = match cookie::key(&site.public_origin, headers) {
        Some(key) => site.store.session(&key).await?.map(|row| row.session),
        None => None,
    };
    let owner = Some(FormOwner::parse(form_owner)).filter(|_| !form_owner.is_empty());
    if former.as_ref().is_some_and(|former| former.who() != who)
        || owner.as_ref().is_some_and(|owner| !owner.is_of(&who))
    {
        tracing::warn!(reason = MISMATCH, "renewal refused");
        return Ok(Renewal::Mismatch);
    }
    let shown = former.map(|former| former.locale).or(owner.and_then(|owner| owner.locale));
    identity.locale = Locale::from_tag(locale).or(identity.locale).or(shown);
    identity.theme = identity.theme.under(serde_json::from_str(theme).map(|Object(theme)| theme).unwrap_or_default());
    let started = start(site, portal, identity, headers, accepted_language(headers), value, now).await?;
    Ok(if started { Renewal::Done } else { Renewal::Refused })
}
