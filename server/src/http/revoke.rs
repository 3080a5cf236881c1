//! Server side. `POST /api/v1/sessions/revoke`: a portal's server ends the sessions of somebody who signs out there.
//!
//! No browser takes part: the request carries a token of the portal in its `Authorization` header, which no page of
//! another site can send without our leave, and its cookies are not looked at. So it is excepted from
//! [`super::origin`]. A token only ends sessions of its own account.

use app::journal::model::{Action, Entry};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::Site;
use crate::{
    ids,
    portal_auth::{SignOut, TokenError, verify_sign_out},
    profiles::unavailable,
    store::StoreError,
};

pub const PATH: &str = "/api/v1/sessions/revoke";

/// Whose sessions; without a body those of the token's person.
#[derive(Deserialize)]
struct Request {
    /// The token's account.
    account: String,
    /// One of its people; without it everybody of the account.
    user: Option<String>,
}

enum Whose {
    Everybody,
    Person(String),
}

impl Whose {
    fn person(&self) -> Option<&str> {
        match self {
            Self::Everybody => None,
            Self::Person(id) => Some(id),
        }
    }
}

/// 204 when the token is good, whether a session was open or not.
pub async fn revoke(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Response {
    let now = (site.clock)();
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let sign_out = match verify_sign_out(&site.door(), token.unwrap_or_default(), now) {
        Ok(sign_out) => sign_out,
        Err(reason) => {
            tracing::warn!(reason = %reason, "revocation refused");
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
    };
    let Ok(whose) = whose(&sign_out, &body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match end(&site, &sign_out, whose.person(), now).await {
        Ok(Some(ended)) => {
            tracing::info!(ended, "sessions revoked by the portal");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(None) => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response(),
        Err(failure) => {
            unavailable(failure);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Whose sessions end. An error when the request does not read, or names another account than the token.
fn whose(sign_out: &SignOut, body: &[u8]) -> Result<Whose, TokenError> {
    if body.is_empty() {
        return Ok(Whose::Person(sign_out.person.clone()));
    }
    let Request { account, user } = serde_json::from_slice(body).map_err(|_| TokenError::Malformed)?;
    if account != sign_out.account.account {
        return Err(TokenError::Claims);
    }
    Ok(user.map_or(Whose::Everybody, Whose::Person))
}

/// How many sessions were ended; `None` when the token was used before.
async fn end(site: &Site, sign_out: &SignOut, person: Option<&str>, now: Timestamp) -> Result<Option<u64>, StoreError> {
    if !site.store.use_token(&sign_out.account.portal, &sign_out.jti, sign_out.expires_at).await? {
        tracing::warn!(reason = "used before", "revocation refused");
        return Ok(None);
    }
    // Nobody of the account did it: the portal's server did, in its own name.
    let entry = Entry {
        id: ids::at(now),
        at: now,
        person: String::new(),
        person_name: sign_out.account.portal.clone(),
        profile: None,
        action: Action::SessionsEnded { everybody: person.is_none() },
    };
    site.store.end_sessions(&sign_out.account, person, now, &entry).await.map(Some)
}
