//! Server side. `POST /api/v1/sessions/revoke`: a portal's server ends the sessions of a person who signs out there.
//!
//! A portal's API key ends the sessions of any person in its accounts. A token ends those of its own person only:
//! tokens that open the configurator pass through browsers, and one that leaks from a browser must not sign out a whole
//! shop. Cookies are ignored, so this path is exempt from [`crate::http::origin`].

use app::{
    journal::model::{Action, Entry},
    session::AccountId,
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{api_key, messages::request::id_faults};
use crate::{
    http::{
        Site,
        api::{
            json::parse,
            problem::{Code, Fault, FieldFault, Problem},
        },
    },
    ids,
    portal::token::{SignOut, TokenError},
};

pub const PATH: &str = "/api/v1/sessions/revoke";

/// Whose sessions. `null` is refused: an account or person that got lost on the way must not end all sessions.
#[derive(Default, Deserialize)]
struct Request {
    #[serde(default, deserialize_with = "given")]
    account: Option<String>,
    /// One of its people; without it, all of the account.
    #[serde(default, deserialize_with = "given")]
    user: Option<String>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// 204 when the caller may do this, whether or not a session was open.
pub async fn revoke(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    let now = (site.clock)();
    let (account, person) = if let Some(portal) = api_key::portal(&site.portals, &headers) {
        let Request { account, user } = read(&body)?;
        let account = account.ok_or_else(|| wrong("/account", Fault::Required, "the account whose sessions end"))?;
        (AccountId { portal: portal.id.clone(), account }, user)
    } else {
        let sign_out = token(&site, &headers, now)?;
        let person = own_person(&sign_out, &body)?;
        if !site.store.use_token(&sign_out.account.portal, &sign_out.jti, sign_out.expires_at).await? {
            return Err(refused("used before"));
        }
        (sign_out.account, Some(person))
    };
    // The portal's server does this, not a person of the account.
    let entry = Entry {
        id: ids::at(now),
        at: now,
        person: String::new(),
        person_name: account.portal.clone(),
        profile: None,
        action: Action::SessionsEnded { everybody: person.is_none() },
    };
    let ended = site.store.end_sessions(&account, person.as_deref(), now, &entry).await?;
    tracing::info!(ended, "sessions revoked by the portal");
    Ok(StatusCode::NO_CONTENT)
}

fn refused(reason: impl std::fmt::Display) -> Problem {
    tracing::warn!(%reason, "revocation refused");
    Problem::detailed(Code::Unauthorized, "neither a portal's API key nor a valid token")
}

fn token(site: &Site, headers: &HeaderMap, now: Timestamp) -> Result<SignOut, Problem> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    site.token_verifier().verify_sign_out(token.unwrap_or_default(), now).map_err(|reason| match reason {
        // The token is valid, but not for this, so the caller may learn the reason.
        TokenError::NotASignOut => Problem { detail: Some(reason.to_string()), ..refused(reason) },
        _ => refused(reason),
    })
}

/// The token's own person, whom the body may repeat.
fn own_person(sign_out: &SignOut, body: &[u8]) -> Result<String, Problem> {
    if body.is_empty() {
        return Ok(sign_out.person.clone());
    }
    let Request { account, user } = read(body)?;
    let account = account.ok_or_else(|| wrong("/account", Fault::Required, "the token's account is required"))?;
    if account != sign_out.account.account {
        return Err(wrong("/account", Fault::NotAllowed, "not the token's account"));
    }
    if user.as_ref() != Some(&sign_out.person) {
        tracing::warn!(reason = "token may revoke only its own person", "revocation refused");
        let detail = "a token ends the sessions of its own person (`sub`) only: use the portal's API key for others";
        return Err(Problem::detailed(Code::Forbidden, detail));
    }
    Ok(sign_out.person.clone())
}

/// An unknown field is refused: mistyped, it would end more sessions than intended.
fn read(body: &[u8]) -> Result<Request, Problem> {
    let invalid = |errors| Problem { errors, ..Problem::new(Code::InvalidRequest) };
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    let (request, unknown) = parse::<Request>(body).map_err(|problem| match problem.code {
        Code::InvalidMessage => invalid(problem.errors),
        _ => problem,
    })?;
    if !unknown.is_empty() {
        return Err(invalid(unknown));
    }
    // An id that no token can contain is a mistake: it would sign out no one.
    let ids = [("/account", &request.account), ("/user", &request.user)];
    let faults: Vec<FieldFault> =
        ids.into_iter().flat_map(|(field, id)| id.iter().flat_map(move |id| id_faults(field, id))).collect();
    if faults.is_empty() { Ok(request) } else { Err(invalid(faults)) }
}

fn wrong(field: &str, code: Fault, detail: &str) -> Problem {
    Problem { errors: vec![FieldFault::new(field, code, detail)], ..Problem::new(Code::InvalidRequest) }
}
