//! Server side. `POST /session/renew`: a portal's page hands a fresh token to the frame, and the open session goes on
//! instead of ending under somebody who types.
//!
//! Only our own pages may ask ([`super::origin`]). The token must be of the session's portal, account and person, and
//! works once like every other.

use app::session::{Session, Visit};
use axum::{
    Extension, Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Site,
    session::{IDLE, LONGEST},
};
use crate::{
    portal_auth::{Presented, verify_renewal},
    profiles::unavailable,
    store::StoreError,
};

/// How many seconds the session has now.
const LEFT: HeaderName = HeaderName::from_static("session-seconds");

/// What the frame posts.
#[derive(Deserialize)]
pub struct Token {
    token: String,
    /// What the token's challenge was made of, if it has one.
    #[serde(default)]
    verifier: String,
}

/// 204 with the seconds that are left, or 401 when this token does not renew this session.
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
        Ok(true) => (StatusCode::NO_CONTENT, [(LEFT, HeaderValue::from(IDLE.as_secs()))]).into_response(),
        Ok(false) => StatusCode::UNAUTHORIZED.into_response(),
        Err(failure) => {
            unavailable(failure);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn try_renew(
    site: &Site,
    session: &Session,
    presented: &Presented<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let identity = match verify_renewal(&site.door(), presented, &session.account.portal, now) {
        Ok(identity) if identity.account == session.account && identity.person.id == session.person.id => identity,
        Ok(_) => {
            tracing::warn!(reason = "of another account or person", "renewal refused");
            return Ok(false);
        }
        Err(reason) => {
            tracing::warn!(reason = %reason, "renewal refused");
            return Ok(false);
        }
    };
    Ok(site.store.use_token(&session.account.portal, &identity.jti, identity.expires_at).await?
        && site.store.renew_session(&session.key, now, now + IDLE, now + LONGEST).await?)
}
