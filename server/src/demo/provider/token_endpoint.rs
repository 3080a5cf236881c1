//! Server side. `/token` and `/revoke`: codes and refresh tokens become access tokens (RFC 6749 §4.1.3 and §6, RFC 7636
//! §4.6, RFC 7009).

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    MAIL_SCOPE, Provider, ProviderError, SCOPES,
    client::missing,
    id_token::Identity,
    params::Params,
    personas::{Persona, Plays},
    refusal::Refusal,
    secret,
    shelf::{Key, key},
    tokens::{Access, Books, Grant, Refresh},
};

/// How long the slow persona's answers take.
const SLOWNESS: Duration = Duration::from_secs(20);
/// How many refreshes fail while the endpoint is down.
const FAILURES: u32 = 2;
/// Seconds that an access token is valid.
const LIFE: i64 = 3_600;
const SHORT_LIFE: i64 = 60;

const MALFORMED: Refusal = Refusal::new("invalid_grant", 70_000, "The provided grant is invalid or malformed.");
const WITHDRAWN: Refusal = Refusal::new(
    "invalid_grant",
    50_173,
    "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
);

/// What the endpoint says.
enum Answer {
    Tokens(Value),
    Refused(Refusal),
    /// A web page in the place of JSON, as a proxy sends it.
    Page,
}

/// Why there are no tokens.
enum Trouble {
    Refused(Refusal),
    Failed(ProviderError),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ProviderError> for Trouble {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

/// `POST /token`.
pub(super) async fn token(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let answered = provider.authenticate(&headers, &params).and_then(|()| match params.first("grant_type") {
        "authorization_code" => Ok(provider.redeem(&params)),
        "refresh_token" => Ok(provider.refresh(&params)),
        "" => Err(missing("AADSTS900144: The request body must contain the parameter 'grant_type'.")),
        _ => Err(Refusal::new("unsupported_grant_type", 70_003, "The app requested an unsupported grant type.")),
    });
    let (persona, answer) = match answered {
        Ok((persona, Ok(answer))) => (persona, answer),
        Ok((persona, Err(Trouble::Refused(refusal)))) => (persona, Answer::Refused(refusal)),
        Ok((_, Err(Trouble::Failed(error)))) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the demo's provider cannot answer");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Err(refusal) => (None, Answer::Refused(refusal)),
    };
    if persona.is_some_and(|persona| persona.plays == Plays::Slow) {
        tokio::time::sleep(SLOWNESS).await;
    }
    match answer {
        Answer::Tokens(tokens) => ([(header::PRAGMA, "no-cache")], Json(tokens)).into_response(),
        Answer::Refused(refusal) => refusal.answer(provider.0.registry.now()),
        Answer::Page => {
            Html("<!doctype html><title>Sandbox</title><p>We will be back in a moment.</p>").into_response()
        }
    }
}

/// `POST /revoke`. As at Google, the whole permission of the account ends. An unknown token is no error.
pub(super) async fn revoke(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let token = params.first("token");
    let refusal = match provider.authenticate(&headers, &params) {
        Err(refusal) => Some(refusal),
        Ok(()) if token.is_empty() => Some(missing("The request body must contain the parameter 'token'.")),
        Ok(()) => None,
    };
    if let Some(refusal) = refusal {
        return refusal.answer(provider.0.registry.now());
    }
    let mut books = provider.0.registry.books();
    let token = key(token);
    let grant = books.refresh.get(&token).map(|refresh| refresh.grant);
    let grant = grant.or_else(|| books.access.get(&token).map(|access| access.grant));
    if let Some(login) = grant.and_then(|grant| books.grants.get(&grant)).map(|grant| grant.login.clone()) {
        books.revoke_all(&login);
    }
    StatusCode::OK.into_response()
}

type Answered = (Option<&'static Persona>, Result<Answer, Trouble>);

impl Provider {
    /// `grant_type=authorization_code`. A code is spent by its first use, even by one that is refused.
    fn redeem(&self, params: &Params) -> Answered {
        let code = key(params.first("code"));
        let now = self.0.registry.now();
        let mut books = self.0.registry.books();
        let Some(found) = books.codes.get_mut(&code) else { return (None, Err(MALFORMED.into())) };
        let (persona, until, request) = (found.persona, found.until, found.request.clone());
        let refused = |refusal: Refusal| (Some(persona), Err(refusal.into()));
        if std::mem::replace(&mut found.spent, true) {
            // A thief may have the code: what it opened ends (RFC 6749 §4.1.2).
            if let Some(grant) = found.opened {
                books.revoke(&grant);
            }
            let description = "OAuth2 Authorization code was already redeemed, please retry with a new valid code.";
            return refused(Refusal::new("invalid_grant", 54_005, description));
        }
        if until <= now {
            let description = "The provided authorization code or refresh token has expired.";
            return refused(Refusal::new("invalid_grant", 70_008, description));
        }
        if params.first("redirect_uri") != request.redirect_uri {
            let description = "The reply address does not match that of the authorization request.";
            return refused(Refusal::new("invalid_grant", 500_112, description));
        }
        let verifier = params.first("code_verifier");
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        if !(43..=128).contains(&verifier.len()) || !bool::from(hash.as_bytes().ct_eq(request.challenge.as_bytes())) {
            let description = "The Code_Verifier does not match the code_challenge of the authorization request.";
            return refused(Refusal::new("invalid_grant", 501_481, description));
        }
        let Ok(id) = secret::<32>() else { return (Some(persona), Err(ProviderError::Randomness.into())) };
        let (grant, login) = (key(&id), persona.identity());
        let scopes = request.scopes.clone();
        books.grants.put(grant, Grant { persona, login, scopes, revoked: false, failures: 0 });
        if let Some(found) = books.codes.get_mut(&code) {
            found.opened = Some(grant);
        }
        let scopes = request.scopes.iter().map(String::as_str).collect();
        (Some(persona), self.issue(&mut books, &grant, scopes, (request.offline, request.nonce.as_deref())))
    }

    /// `grant_type=refresh_token`. As at Microsoft, every answer has a new refresh token, and the old one still works.
    fn refresh(&self, params: &Params) -> Answered {
        let mut books = self.0.registry.books();
        books.refreshes += 1;
        let token = key(params.first("refresh_token"));
        let Some(refresh) = books.refresh.get_mut(&token) else { return (None, Err(MALFORMED.into())) };
        let reused = std::mem::replace(&mut refresh.used, true);
        let grant = refresh.grant;
        let Some(found) = books.grants.get_mut(&grant) else { return (None, Err(MALFORMED.into())) };
        let persona = found.persona;
        let answer = if found.revoked {
            Err(WITHDRAWN.into())
        } else if persona.plays == Plays::Rotation && reused {
            found.revoked = true;
            Err(MALFORMED.into())
        } else if let Some(answer) = obstacle(found) {
            Ok(answer)
        } else {
            let granted = found.scopes.clone();
            requested(params.first("scope"), &granted)
                .map_err(Trouble::from)
                .and_then(|scopes| self.issue(&mut books, &grant, scopes, (true, None)))
        };
        (Some(persona), answer)
    }

    /// New tokens of a permission.
    fn issue(
        &self,
        books: &mut Books,
        grant: &Key,
        scopes: Vec<&str>,
        (offline, nonce): (bool, Option<&str>),
    ) -> Result<Answer, Trouble> {
        let Some(found) = books.grants.get(grant) else { return Err(MALFORMED.into()) };
        let now = self.0.registry.now();
        let life = if found.persona.plays == Plays::ShortLife { SHORT_LIFE } else { LIFE };
        // As long as Microsoft's: longer than the first line of a login may be.
        let access = secret::<1_350>()?;
        // The scope that asks for a refresh token is not a permission.
        let named: Vec<&str> = scopes.iter().copied().filter(|scope| *scope != "offline_access").collect();
        let mut answer = json!({
            "token_type": "Bearer",
            "scope": named.join(" "),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": access,
        });
        if scopes.contains(&"openid") {
            let options = &self.0.options;
            let (issuer, client_id) = (&*options.public_url, &*options.client_id);
            let identity = Identity { issuer, client_id, address: &found.login, nonce };
            answer["id_token"] = self.0.key.sign(&identity, now)?.into();
        }
        if offline {
            let refresh = secret::<600>()?;
            books.refresh.put(key(&refresh), Refresh { grant: *grant, used: false });
            answer["refresh_token"] = refresh.into();
        }
        let until = now + SignedDuration::from_secs(life);
        let mail = scopes.contains(&MAIL_SCOPE);
        books.access.put(key(&access), Access { grant: *grant, until, mail });
        Ok(Answer::Tokens(answer))
    }
}

/// What the persona answers to a refresh, if it does not succeed.
fn obstacle(grant: &mut Grant) -> Option<Answer> {
    Some(match grant.persona.plays {
        Plays::WantsSecondFactor => Answer::Refused(Refusal::new(
            "interaction_required",
            50_076,
            "Due to a configuration change made by your administrator, you must use multi-factor authentication.",
        )),
        Plays::DeadClient => Answer::Refused(Refusal::client(
            7_000_222,
            "The provided client secret keys for the app are expired.",
            false,
        )),
        Plays::Down if grant.failures < FAILURES => {
            grant.failures += 1;
            Answer::Refused(Refusal::unavailable(30))
        }
        Plays::Html => Answer::Page,
        _ => return None,
    })
}

/// The scopes of a refresh: those of the permission, or fewer.
fn requested<'a>(scope: &'a str, granted: &'a [String]) -> Result<Vec<&'a str>, Refusal> {
    let requested: Vec<&str> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    if requested.is_empty() {
        return Ok(granted.iter().map(String::as_str).collect());
    }
    if requested.iter().any(|scope| !SCOPES.contains(scope)) {
        let description = "The provided value for the parameter 'scope' is not valid.";
        return Err(Refusal::new("invalid_scope", 70_011, description));
    }
    if requested.iter().any(|scope| granted.iter().all(|granted| granted != scope)) {
        let description = "The user or administrator has not consented to use the application.";
        return Err(Refusal::new("invalid_grant", 65_001, description));
    }
    Ok(requested)
}
