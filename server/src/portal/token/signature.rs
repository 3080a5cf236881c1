//! Server side. The signature of a token (RFC 7515), and the claims that every token has: audience and times.

use jiff::Timestamp;
use jsonwebtoken::Validation;
use serde::de::DeserializeOwned;

use super::{TokenError, TokenVerifier, claims::Common};
use crate::{
    objects::Object,
    portal::{Portal, PortalKey},
};

/// Longest accepted token, in bytes.
const LONGEST_TOKEN: usize = 48 * 1024;
/// Longest life of a token, in seconds.
const LONGEST_LIFE_S: i64 = 300;
/// Tolerated clock skew, in seconds.
const CLOCK_SKEW_S: i64 = 30;

/// Decodes a token with the keys of the portals that may have signed it. `kid` is a portal's own name for a key:
/// several portals may use the same one.
pub fn decode<'a, C: Common + DeserializeOwned>(
    verifier: &TokenVerifier<'a>,
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
    // `crit` lists extensions that the reader must understand (RFC 7515 §4.1.11); none is supported.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let kid = header.kid.ok_or(TokenError::UnknownKey)?;
    let signers = verifier
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
    if !claims.audience().is(&verifier.public_url) {
        return Err(TokenError::Signature);
    }
    check_times(&claims, now)?;
    Ok((portal, claims))
}

/// The claims of a token that this portal signed with this key.
fn signed_by<C: DeserializeOwned>(portal: &Portal, key: &PortalKey, token: &str) -> Result<C, TokenError> {
    let mut validation = Validation::new(key.algorithm);
    // The audience may be our own address: it is checked with the claims.
    validation.validate_aud = false;
    validation.set_issuer(&[&portal.id]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // Checked with our own clock: tests have a fixed date.
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

/// When a token's id may be deleted.
pub fn forgotten_at(exp: i64) -> Result<Timestamp, TokenError> {
    Timestamp::from_second(exp + CLOCK_SKEW_S).map_err(|_| TokenError::Time)
}
