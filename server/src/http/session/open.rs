//! Server side. A portal's token becomes a session.

use app::{error::AppError, i18n::Locale};
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{accepted_language, cookie, random, refused, start, visit};
use crate::{
    http::{Site, origin::is_our_form, pages::error},
    objects::Object,
    portal::{
        Portal,
        token::{Identity, Presented, StartPage, TokenError},
    },
    store::StoreError,
};

/// The form a portal posts. Page, language and theme may be given beside the token: they grant nothing.
#[derive(Deserialize)]
pub struct Opening {
    token: String,
    /// The verifier of the token's challenge, if it has one.
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

/// `POST /session/tab`: the same, from our own page. In a frame whose cookie the browser refuses, a form opens a tab
/// with the token that the portal's page handed to it.
pub async fn open_tab(
    State(site): State<Site>,
    headers: HeaderMap,
    form: Result<Form<Opening>, FormRejection>,
) -> Response {
    if !is_our_form(&headers, &site.public_origin) {
        tracing::warn!("refused a tab that another origin requested");
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
    let (accepted, framed) = (accepted_language(headers), visit::is_framed(headers));
    let Ok(Form(Opening { token, verifier, page, locale: chosen, theme })) = form else {
        tracing::warn!(reason = "no form with a token", "token refused");
        return refused::token_refused(site, origin, accepted, framed);
    };
    let locale = Locale::from_tag(&chosen).unwrap_or(accepted);
    let now = (site.clock)();
    let (portal, mut identity) = match check(&Presented { token: &token, verifier: &verifier }, now) {
        Ok(verified) => verified,
        Err(reason) => {
            // Untrusted: quote and truncate.
            let from: String = origin.chars().take(100).collect();
            tracing::warn!(reason = %reason, origin = ?from, "token refused");
            return refused::token_refused(site, origin, locale, framed);
        }
    };
    identity.page = StartPage::parse(&page).unwrap_or(identity.page);
    identity.locale = Locale::from_tag(&chosen).or(identity.locale);
    identity.theme = identity.theme.under(serde_json::from_str(&theme).map(|Object(theme)| theme).unwrap_or_default());
    match begin(site, portal, identity, headers, locale, now).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            tracing::warn!(reason = "used before", "token refused");
            refused::token_refused(site, origin, locale, framed)
        }
        Err(failure) => refused::store_failed_page(site, locale, failure),
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
