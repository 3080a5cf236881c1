//! Server side. The session: from a portal's token to the cookie, and to its end.
//!
//! | file | what it is |
//! |---|---|
//! | `open` | a token posted by a portal's page opens a session |
//! | `renew` | a fresh token extends it, or opens another one under the same page |
//! | `visit` | turns each request's cookie into a visit |
//! | `refused` | the pages without a session |
//! | `cookie` | the cookie |
//! | `theme` | the portal's page changes how the pages look |

use app::{i18n::Locale, session::Session};
use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

use super::Site;
use crate::{
    portal::{Portal, token::Identity},
    store::{SessionRow, StoreError},
};

mod cookie;
pub mod open;
mod refused;
pub mod renew;
pub mod theme;
pub mod visit;

pub use cookie::is_in_clear;

/// A session ends after this time without a request.
pub const IDLE: SignedDuration = SignedDuration::from_mins(60);
/// Its longest duration, unless the portal renews it.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// How long an ended session is kept, so that its page can link back to the portal.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// A random value for a cookie.
pub fn random() -> Option<[u8; 32]> {
    let mut value = [0_u8; 32];
    let filled = OsRng.try_fill_bytes(&mut value);
    if filled.is_err() {
        tracing::error!("the operating system provides no randomness");
    }
    filled.is_ok().then_some(value)
}

/// Stores the session whose cookie has `value`, and deletes the session of the request's cookie. `false`: the token was
/// used before.
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
        time_zone: identity.time_zone,
        return_url: identity.return_url,
        theme: identity.theme,
    };
    site.store.insert_session(&SessionRow { session, expires_at: now + IDLE, ends_at: now + LONGEST }).await?;
    Ok(true)
}

/// The language the browser asks for.
pub fn accepted_language(headers: &HeaderMap) -> Locale {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(Locale::from_accept_language)
        .unwrap_or_default()
}
