//! Server side. Verifies the token with which a portal identifies its user.
//!
//! A compact JWS signed with a key that the portal's registration names by `kid`; the algorithm belongs to the key,
//! never to the token (RFC 8725 §3.1). From outside, every refusal looks the same; the reason is logged.

use app::{
    i18n::Locale,
    session::{AccountId, User},
    theme::GivenTheme,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use sha2::{Digest, Sha256};

mod binding;
mod claims;
mod signature;
#[cfg(test)]
mod tests;

use binding::Challenge;
use claims::{Claims, SignOutClaims};
use signature::{decode, forgotten_at};

use super::Portal;
use crate::objects::Object;

/// Most users an account may list.
const MOST_USERS: usize = 1_000;

/// Verifies tokens: the keys that may sign them, and the audience that they must name.
#[derive(Clone)]
pub struct TokenVerifier<'a> {
    pub portals: &'a [Portal],
    /// Facteur's own address, without a trailing slash.
    pub public_url: String,
}

/// A token, and the proof that the page that sends it requested it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    pub token: &'a str,
    /// Empty if there is none.
    pub verifier: &'a str,
}

/// The content of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub account_name: String,
    pub person: User,
    pub email: String,
    pub users: Vec<User>,
    pub locale: Option<Locale>,
    /// A name of the IANA Time Zone Database.
    pub time_zone: Option<String>,
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

/// Why a token is refused: for the log, never for the response.
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

/// A sign-out token from a portal's server, which names the sessions to end: it has no page and no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOut {
    pub account: AccountId,
    pub person: String,
    pub jti: [u8; 32],
    pub expires_at: Timestamp,
}

impl<'a> TokenVerifier<'a> {
    /// Verifies a token that a page of `origin` posted.
    pub fn verify(
        &self,
        presented: &Presented<'_>,
        origin: &str,
        now: Timestamp,
    ) -> Result<(&'a Portal, Identity), TokenError> {
        if !self.portals.iter().any(|portal| portal.registers(origin)) {
            return Err(TokenError::Origin);
        }
        let (portal, claims) = decode::<Claims>(self, presented.token, |portal| portal.registers(origin), now)?;
        identity(portal, claims, presented.verifier).map(|identity| (portal, identity))
    }

    /// Verifies a token that our own page got from the portal's page around it, before there is a session.
    pub fn verify_from_our_page(
        &self,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<(&'a Portal, Identity), TokenError> {
        let (portal, claims) = decode::<Claims>(self, presented.token, |_| true, now)?;
        identity(portal, claims, presented.verifier).map(|identity| (portal, identity))
    }

    /// The same for an open session: the token must come from the portal that opened it.
    pub fn verify_renewal(
        &self,
        presented: &Presented<'_>,
        portal: &str,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        let (portal, claims) = decode::<Claims>(self, presented.token, |known| known.id == portal, now)?;
        identity(portal, claims, presented.verifier)
    }

    /// Verifies a token that a portal's server sent itself: no page, so no origin.
    pub fn verify_sign_out(&self, token: &str, now: Timestamp) -> Result<SignOut, TokenError> {
        let (portal, claims) = decode::<SignOutClaims>(self, token, |_| true, now)?;
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
}

/// Whether the IANA Time Zone Database has this name.
pub fn is_time_zone(name: &str) -> bool {
    name.len() <= 64 && TimeZone::get(name).is_ok()
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
        time_zone: claims.zoneinfo.filter(|name| is_time_zone(name)).or_else(|| portal.time_zone.clone()),
        return_url: claims.return_url.filter(|url| portal.leads_home(url)).or_else(|| portal.home.clone()),
        page: claims.page,
        theme: serde_json::from_value(claims.theme).map(|Object(theme)| theme).unwrap_or_default(),
        jti: Sha256::digest(claims.jti.as_bytes()).into(),
        expires_at: forgotten_at(claims.exp)?,
    })
}
