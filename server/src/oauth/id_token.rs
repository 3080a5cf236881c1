//! Server side. The ID token: who signed in (`OpenID` Connect Core 1.0 §3.1.3.7).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::{profile::address::EmailAddress, services::Clock};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::{
    client::Client,
    endpoints::FixedEndpoints,
    requests::{RequestError, Requests},
};

/// How far a provider's clock may differ from ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How long keys are used when the provider does not say; and the limits of what it may say.
const KEYS_LAST: [SignedDuration; 3] =
    [SignedDuration::from_mins(5), SignedDuration::from_hours(1), SignedDuration::from_hours(24)];
/// An unknown key is looked for at most this often.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The algorithms of the signature. None of them takes a shared secret.
const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    pub issuer: String,
    /// Never reassigned by the provider, unlike the address.
    pub subject: String,
    pub address: EmailAddress,
    /// Microsoft's tenant.
    pub tenant: Option<String>,
}

/// Why an ID token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("cannot read the provider's keys: {0}")]
    Keys(#[from] RequestError),
    #[error("cannot parse the provider's keys")]
    MalformedKeys,
    #[error("cannot parse the ID token")]
    Malformed,
    #[error("the ID token is signed with an unknown key, or an algorithm that is not accepted")]
    UnknownKey,
    #[error("the signature or the audience of the ID token is wrong")]
    Signature,
    #[error("the ID token was issued by {0}")]
    Issuer(String),
    #[error("the ID token was issued to another client")]
    AuthorizedParty,
    #[error("the ID token has expired, or is from the future; our clock differs by {0} s")]
    Time(i64),
    #[error("the ID token answers another request")]
    Nonce,
    #[error("the ID token names no e-mail address, or one that the provider has not verified")]
    Address,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    iat: i64,
    azp: Option<String>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    preferred_username: Option<String>,
    tid: Option<String>,
}

/// What an ID token is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub nonce: &'a str,
    /// When the provider answered, by its own clock.
    pub answered_at: Option<Timestamp>,
}

struct Keys {
    set: JwkSet,
    until: Timestamp,
    looked_at: Timestamp,
}

/// Verifies ID tokens, with the providers' keys.
#[derive(Clone)]
pub struct IdTokens {
    requests: Requests,
    clock: Clock,
    keys: Arc<Mutex<HashMap<String, Arc<Keys>>>>,
}

impl IdTokens {
    pub fn new(requests: Requests, clock: Clock) -> Self {
        Self { requests, clock, keys: Arc::default() }
    }

    pub async fn verify(
        &self,
        (client, endpoints): (&Client, &FixedEndpoints),
        token: &SecretString,
        expected: Expected<'_>,
    ) -> Result<Identified, IdTokenError> {
        let token = token.expose_secret();
        let header = decode_header(token).map_err(|_| IdTokenError::Malformed)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(IdTokenError::UnknownKey);
        }
        let key = self.key(&endpoints.keys, header.kid.as_deref()).await?;
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&client.client_id]);
        validation.set_required_spec_claims(&["aud", "iss", "sub", "exp"]);
        // Times and the issuer have rules of their own.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &key, &validation).map_err(|_| IdTokenError::Signature)?.claims;
        check(client, claims, expected, (self.clock)())
    }

    /// The key of this id. An unknown id means that the provider has a new key.
    async fn key(&self, url: &str, id: Option<&str>) -> Result<DecodingKey, IdTokenError> {
        let now = (self.clock)();
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if let Some(keys) = known.filter(|keys| keys.until > now) {
            match find(&keys.set, id) {
                Some(key) => return Ok(key),
                None if keys.looked_at + LOOK_EVERY > now => return Err(IdTokenError::UnknownKey),
                None => {}
            }
        }
        let response = self.requests.get(url).await?;
        let set: JwkSet = serde_json::from_slice(response.body()).map_err(|_| IdTokenError::MalformedKeys)?;
        let [shortest, usual, longest] = KEYS_LAST;
        let life = max_age(response.headers()).unwrap_or(usual).clamp(shortest, longest);
        let key = find(&set, id).ok_or(IdTokenError::UnknownKey);
        let keys = Arc::new(Keys { set, until: now + life, looked_at: now });
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), keys);
        key
    }
}

fn find(set: &JwkSet, id: Option<&str>) -> Option<DecodingKey> {
    let jwk = match id {
        Some(id) => set.find(id)?,
        None if set.keys.len() == 1 => set.keys.first()?,
        None => return None,
    };
    DecodingKey::from_jwk(jwk).ok()
}

/// `Cache-Control: max-age` (RFC 9111 §5.2.2.1).
fn max_age(headers: &http::HeaderMap) -> Option<SignedDuration> {
    let text = headers.get(http::header::CACHE_CONTROL)?.to_str().ok()?;
    let seconds = text.split(',').find_map(|part| part.trim().strip_prefix("max-age="))?;
    Some(SignedDuration::from_secs(i64::from(seconds.parse::<u32>().ok()?)))
}

fn check(client: &Client, claims: Claims, expected: Expected<'_>, now: Timestamp) -> Result<Identified, IdTokenError> {
    if !client.issuer.accepts(&claims.iss, claims.tid.as_deref()) {
        return Err(IdTokenError::Issuer(claims.iss.chars().take(200).collect()));
    }
    if claims.azp.as_ref().is_some_and(|azp| *azp != client.client_id) {
        return Err(IdTokenError::AuthorizedParty);
    }
    check_time(client, &claims, expected.answered_at, now)?;
    let same = claims.nonce.as_deref().unwrap_or_default().as_bytes().ct_eq(expected.nonce.as_bytes());
    if !bool::from(same) {
        return Err(IdTokenError::Nonce);
    }
    Ok(Identified {
        address: address(client, &claims).ok_or(IdTokenError::Address)?,
        issuer: claims.iss,
        subject: claims.sub,
        tenant: claims.tid,
    })
}

/// A token is valid by our clock, or by the provider's: it came straight from there, over TLS, together with the time. So
/// a clock of ours that is wrong by an hour keeps no one from signing in.
fn check_time(
    client: &Client,
    claims: &Claims,
    answered_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), IdTokenError> {
    let skew = SKEW.as_secs();
    let is_valid_at = |time: Timestamp| {
        let time = time.as_second();
        claims.exp.saturating_add(skew) > time && claims.iat <= time.saturating_add(skew)
    };
    if is_valid_at(now) {
        return Ok(());
    }
    let differs_by_s = now.as_second() - answered_at.map_or(claims.iat, Timestamp::as_second);
    if !answered_at.is_some_and(is_valid_at) {
        return Err(IdTokenError::Time(differs_by_s));
    }
    tracing::warn!(client = client.id, differs_by_s, "the provider's clock differs from ours");
    Ok(())
}

/// The signed-in address. Microsoft's `preferred_username` is the name of the login; elsewhere only a verified address
/// counts.
fn address(client: &Client, claims: &Claims) -> Option<EmailAddress> {
    let parse = |text: &Option<String>| text.as_deref().and_then(|text| EmailAddress::parse(text).ok());
    if client.kind == super::Kind::Microsoft {
        return parse(&claims.preferred_username).or_else(|| parse(&claims.email));
    }
    let denied = claims.email_verified.as_ref().is_some_and(|value| match value {
        serde_json::Value::Bool(verified) => !verified,
        serde_json::Value::String(text) => text != "true",
        _ => true,
    });
    parse(&claims.email).filter(|_| !denied)
}
