//! Server side. Verifies the token with which a portal says who is asking.
//!
//! A compact JWS signed with a key that the portal's registration names by `kid`; the algorithm belongs to the key,
//! never to the token (RFC 8725 §3.1). Every refusal is the same to the outside; the reason is logged.

use app::{
    i18n::Locale,
    session::{AccountId, User},
    theme::GivenTheme,
};
use jiff::Timestamp;
use jsonwebtoken::Validation;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

mod binding;
#[cfg(test)]
mod tests;

use binding::{Audience, Challenge};

use super::{Portal, PortalKey};
use crate::objects::{Object, object, objects};

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 48 * 1024;
/// The longest life a token may have, in seconds.
const LONGEST_LIFE_S: i64 = 300;
/// How far two clocks may be apart, in seconds.
const CLOCK_SKEW_S: i64 = 30;
/// Most users an account may list.
const MOST_USERS: usize = 1_000;

/// What tokens are checked against.
#[derive(Clone)]
pub struct Door<'a> {
    pub portals: &'a [Portal],
    /// Facteur's own address, without a slash at its end.
    pub public_url: String,
}

/// A token, and the proof that its bearer is the page that requested it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    pub token: &'a str,
    /// Empty where there is none.
    pub verifier: &'a str,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub account_name: String,
    pub person: User,
    pub email: String,
    pub users: Vec<User>,
    pub locale: Option<Locale>,
    pub return_url: Option<String>,
    pub page: StartPage,
    pub theme: GivenTheme,
    pub jti: [u8; 32],
    pub expires_at: Timestamp,
}

/// The page a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartPage {
    #[default]
    SendingMode,
    Profiles,
}

impl StartPage {
    pub const fn path(self) -> &'static str {
        match self {
            Self::SendingMode => "/sending-mode",
            Self::Profiles => "/profiles",
        }
    }

    /// The page with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::SendingMode, Self::Profiles].into_iter().find(|page| page.path().strip_prefix('/') == Some(name))
    }
}

/// Why a token is refused: for the log, never for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("malformed token")]
    Malformed,
    #[error("no portal registers this origin")]
    Origin,
    #[error("no portal has this key")]
    UnknownKey,
    #[error("signature, algorithm, issuer or audience is wrong")]
    Signature,
    #[error("not valid at this time")]
    Time,
    #[error("a claim is missing or out of bounds")]
    Claims,
    #[error("the verifier is not the one of the token's challenge")]
    Proof,
    #[error("the token has no challenge, and the portal has require_challenge")]
    NoChallenge,
    #[error("a token with a challenge opens the configurator and revokes nothing")]
    NotASignOut,
}

#[derive(Deserialize)]
struct Claims {
    aud: Audience,
    challenge: Option<String>,
    sub: String,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    jti: String,
    #[serde(deserialize_with = "object")]
    account: Named,
    email: String,
    name: Option<String>,
    locale: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    users: Vec<Named>,
    return_url: Option<String>,
    #[serde(default)]
    page: StartPage,
    /// A theme that does not read is no reason to keep somebody out.
    #[serde(default)]
    theme: serde_json::Value,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

impl From<Named> for User {
    fn from(named: Named) -> Self {
        Self { id: named.id, name: named.name }
    }
}

/// What a portal's server says about whose sessions shall end: a token without a page and without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOut {
    pub account: AccountId,
    pub person: String,
    pub jti: [u8; 32],
    pub expires_at: Timestamp,
}

/// The claims that every token has.
trait Common {
    fn audience(&self) -> &Audience;
    /// `exp`, `iat`, `nbf`
    fn times(&self) -> (i64, i64, Option<i64>);
}

impl Common for Claims {
    fn audience(&self) -> &Audience {
        &self.aud
    }

    fn times(&self) -> (i64, i64, Option<i64>) {
        (self.exp, self.iat, self.nbf)
    }
}

#[derive(Deserialize)]
struct SignOutClaims {
    aud: Audience,
    /// It makes a token one of a page's. What a page has ended up with ends no sessions.
    challenge: Option<serde::de::IgnoredAny>,
    sub: String,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    jti: String,
    #[serde(deserialize_with = "object")]
    account: AccountOnly,
}

#[derive(Deserialize)]
struct AccountOnly {
    id: String,
}

impl Common for SignOutClaims {
    fn audience(&self) -> &Audience {
        &self.aud
    }

    fn times(&self) -> (i64, i64, Option<i64>) {
        (self.exp, self.iat, self.nbf)
    }
}

/// Verifies a token that a page of `origin` posted.
pub fn verify<'a>(
    door: &Door<'a>,
    presented: &Presented<'_>,
    origin: &str,
    now: Timestamp,
) -> Result<(&'a Portal, Identity), TokenError> {
    if !door.portals.iter().any(|portal| portal.registers(origin)) {
        return Err(TokenError::Origin);
    }
    let (portal, claims) = decode::<Claims>(door, presented.token, |portal| portal.registers(origin), now)?;
    identity(portal, claims, presented.verifier).map(|identity| (portal, identity))
}

/// Verifies a token that our own page got from the portal's page around it, before there is a session.
pub fn verify_from_our_page<'a>(
    door: &Door<'a>,
    presented: &Presented<'_>,
    now: Timestamp,
) -> Result<(&'a Portal, Identity), TokenError> {
    let (portal, claims) = decode::<Claims>(door, presented.token, |_| true, now)?;
    identity(portal, claims, presented.verifier).map(|identity| (portal, identity))
}

/// The same for a session that is open: the token must be of the portal that opened it.
pub fn verify_renewal(
    door: &Door<'_>,
    presented: &Presented<'_>,
    portal: &str,
    now: Timestamp,
) -> Result<Identity, TokenError> {
    let (portal, claims) = decode::<Claims>(door, presented.token, |known| known.id == portal, now)?;
    identity(portal, claims, presented.verifier)
}

/// Verifies a token that a portal's server sent by itself: no page, so no origin.
pub fn verify_sign_out(door: &Door<'_>, token: &str, now: Timestamp) -> Result<SignOut, TokenError> {
    let (portal, claims) = decode::<SignOutClaims>(door, token, |_| true, now)?;
    if claims.challenge.is_some() {
        return Err(TokenError::NotASignOut);
    }
    if ![&claims.sub, &claims.jti, &claims.account.id].into_iter().all(|text| present(text)) {
        return Err(TokenError::Claims);
    }
    Ok(SignOut {
        account: AccountId { portal: portal.id.clone(), account: claims.account.id },
        person: claims.sub,
        jti: Sha256::digest(claims.jti.as_bytes()).into(),
        expires_at: forgotten_at(claims.exp)?,
    })
}

/// Reads a token with the keys of the portals that may have signed it. `kid` is a portal's own name for a key: several
/// portals may use the same one.
fn decode<'a, C: Common + DeserializeOwned>(
    door: &Door<'a>,
    token: &str,
    may_sign: impl Fn(&Portal) -> bool,
    now: Timestamp,
) -> Result<(&'a Portal, C), TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
    if header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenError::Malformed);
    }
    // It lists extensions that the reader must understand (RFC 7515 §4.1.11); none is supported.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let kid = header.kid.ok_or(TokenError::UnknownKey)?;
    let signers = door
        .portals
        .iter()
        .filter(|portal| may_sign(portal))
        .filter_map(|portal| Some((portal, portal.keys.iter().find(|key| key.id == kid)?)));
    let mut outcome: Result<(&Portal, C), TokenError> = Err(TokenError::UnknownKey);
    for (portal, key) in signers {
        outcome = signed_by(portal, key, token).map(|claims| (portal, claims));
        if outcome.is_ok() {
            break;
        }
    }
    let (portal, claims) = outcome?;
    if !claims.audience().is(&door.public_url) {
        return Err(TokenError::Signature);
    }
    check_times(&claims, now)?;
    Ok((portal, claims))
}

/// The claims of a token that this portal signed with this key.
fn signed_by<C: DeserializeOwned>(portal: &Portal, key: &PortalKey, token: &str) -> Result<C, TokenError> {
    let mut validation = Validation::new(key.algorithm);
    // It may be our own address: that is looked at with the claims.
    validation.validate_aud = false;
    validation.set_issuer(&[&portal.id]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // The clock is ours: tests have a fixed date.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    jsonwebtoken::decode::<Object<C>>(token, &key.key, &validation).map(|token| token.claims.0).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind;
        match error.kind() {
            ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => TokenError::Claims,
            _ => TokenError::Signature,
        }
    })
}

fn check_times(claims: &impl Common, now: Timestamp) -> Result<(), TokenError> {
    let now = now.as_second();
    let (exp, iat, nbf) = claims.times();
    let expired = exp <= now - CLOCK_SKEW_S;
    let early = iat.max(nbf.unwrap_or(iat)) > now + CLOCK_SKEW_S;
    let too_long = exp.saturating_sub(iat) > LONGEST_LIFE_S || exp < iat;
    if expired || early || too_long { Err(TokenError::Time) } else { Ok(()) }
}

/// When a token's id may be forgotten.
fn forgotten_at(exp: i64) -> Result<Timestamp, TokenError> {
    Timestamp::from_second(exp + CLOCK_SKEW_S).map_err(|_| TokenError::Time)
}

fn present(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control)
}

fn identity(portal: &Portal, claims: Claims, verifier: &str) -> Result<Identity, TokenError> {
    match &claims.challenge {
        Some(challenge) => {
            let challenge = Challenge::parse(challenge).ok_or(TokenError::Claims)?;
            if !challenge.is_of(verifier) {
                return Err(TokenError::Proof);
            }
        }
        None if portal.require_challenge => return Err(TokenError::NoChallenge),
        None => {}
    }
    let users_present = claims.users.iter().all(|user| present(&user.id) && present(&user.name));
    let email = claims.email.trim();
    let email_reads = email.is_empty() || app::profile::address::EmailAddress::parse(email).is_ok();
    let in_bounds = [&claims.sub, &claims.jti, &claims.account.id, &claims.account.name]
        .into_iter()
        .chain(&claims.name)
        .all(|text| present(text))
        && users_present
        && claims.users.len() <= MOST_USERS
        && email_reads;
    if !in_bounds {
        return Err(TokenError::Claims);
    }
    Ok(Identity {
        account: AccountId { portal: portal.id.clone(), account: claims.account.id },
        account_name: claims.account.name,
        person: User { name: claims.name.unwrap_or_else(|| claims.sub.clone()), id: claims.sub },
        email: email.to_owned(),
        users: claims.users.into_iter().map(User::from).collect(),
        locale: claims.locale.as_deref().and_then(Locale::from_tag),
        return_url: claims.return_url.filter(|url| portal.leads_home(url)).or_else(|| portal.home.clone()),
        page: claims.page,
        theme: serde_json::from_value(claims.theme).map(|Object(theme)| theme).unwrap_or_default(),
        jti: Sha256::digest(claims.jti.as_bytes()).into(),
        expires_at: forgotten_at(claims.exp)?,
    })
}
