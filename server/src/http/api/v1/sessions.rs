//! Server side. `POST /api/v1/sessions/revoke`: a portal's server ends the sessions of somebody who signs out there.
//!
//! A portal's API key ends the sessions of anybody in its accounts. A token ends those of its own person and no others: the
//! tokens that open the configurator pass through browsers, and what a browser has ended up with must not sign out a whole
//! shop. No cookie is looked at, so it is excepted from [`crate::http::origin`].

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

/// Whose sessions. What is given is never `null`: an account and a person that got lost on the way are no wish to end
/// everybody's.
#[derive(Default, Deserialize)]
struct Request {
    #[serde(default, deserialize_with = "given")]
    account: Option<String>,
    /// One of its people; without it everybody of the account.
    #[serde(default, deserialize_with = "given")]
    user: Option<String>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// 204 when the caller may do this, whether a session was open or not.
pub async fn revoke(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    let now = (site.clock)();
    let (account, person) = if let Some(portal) = api_key::portal(&site.portals, &headers) {
        let Request { account, user } = read(&body)?;
        let account = account.ok_or_else(|| wrong("/account", Fault::Required, "whose sessions end"))?;
        (AccountId { portal: portal.id.clone(), account }, user)
    } else {
        let sign_out = token(&site, &headers, now)?;
        let person = own_person(&sign_out, &body)?;
        if !site.store.use_token(&sign_out.account.portal, &sign_out.jti, sign_out.expires_at).await? {
            return Err(refused("used before"));
        }
        (sign_out.account, Some(person))
    };
    // Not done by a person of the account, but by the portal's server.
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
    Problem::detailed(Code::Unauthorized, "neither a portal's API key nor a token that is good")
}

fn token(site: &Site, headers: &HeaderMap, now: Timestamp) -> Result<SignOut, Problem> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    site.token_verifier().verify_sign_out(token.unwrap_or_default(), now).map_err(|reason| match reason {
        // The token is valid, only not for this: the caller may be told.
        TokenError::NotASignOut => Problem { detail: Some(reason.to_string()), ..refused(reason) },
        _ => refused(reason),
    })
}

/// The token's own person, whom the body may name again.
fn own_person(sign_out: &SignOut, body: &[u8]) -> Result<String, Problem> {
    if body.is_empty() {
        return Ok(sign_out.person.clone());
    }
    let Request { account, user } = read(body)?;
    let account = account.ok_or_else(|| wrong("/account", Fault::Required, "the token's account"))?;
    if account != sign_out.account.account {
        return Err(wrong("/account", Fault::NotAllowed, "another account than the token's"));
    }
    if user.as_ref() != Some(&sign_out.person) {
        tracing::warn!(reason = "others than the token's person", "revocation refused");
        let detail = "a token ends the sessions of its own person (`sub`): others' need the portal's API key";
        return Err(Problem::detailed(Code::Forbidden, detail));
    }
    Ok(sign_out.person.clone())
}

/// A field that is not known is refused: mistyped, it would end more sessions than were meant.
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
    // What no token can have is a mistake: nobody would be signed out.
    let ids = [("/account", &request.account), ("/user", &request.user)];
    let faults: Vec<FieldFault> =
        ids.into_iter().flat_map(|(field, id)| id.iter().flat_map(move |id| id_faults(field, id))).collect();
    if faults.is_empty() { Ok(request) } else { Err(invalid(faults)) }
}

fn wrong(field: &str, code: Fault, detail: &str) -> Problem {
    Problem { errors: vec![FieldFault::new(field, code, detail)], ..Problem::new(Code::InvalidRequest) }
}
