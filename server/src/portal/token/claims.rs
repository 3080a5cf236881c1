//! Server side. The claims of a token (RFC 7519 §4).

use app::session::User;
use serde::Deserialize;

use super::{StartPage, binding::Audience};
use crate::objects::{object, objects};

/// The claims of a page's token (`docs/embedding.md`).
#[derive(Deserialize)]
pub struct Claims {
    pub aud: Audience,
    pub challenge: Option<String>,
    pub sub: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: Option<i64>,
    pub jti: String,
    #[serde(deserialize_with = "object")]
    pub account: Named,
    pub email: String,
    pub name: Option<String>,
    pub locale: Option<String>,
    /// The reader's time zone (`OpenID` Connect Core 1.0, section 5.1).
    pub zoneinfo: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    pub users: Vec<Named>,
    pub return_url: Option<String>,
    #[serde(default)]
    pub page: StartPage,
    /// Any value: an invalid theme must not refuse the token.
    #[serde(default)]
    pub theme: serde_json::Value,
}

/// An id and a name.
#[derive(Deserialize)]
pub struct Named {
    pub id: String,
    pub name: String,
}

impl From<Named> for User {
    fn from(named: Named) -> Self {
        Self { id: named.id, name: named.name }
    }
}

/// The claims that every token has.
pub trait Common {
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

/// The claims of a token that ends sessions.
#[derive(Deserialize)]
pub struct SignOutClaims {
    pub aud: Audience,
    /// Present in a page's token only, which ends no sessions.
    pub challenge: Option<serde::de::IgnoredAny>,
    pub sub: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: Option<i64>,
    pub jti: String,
    #[serde(deserialize_with = "object")]
    pub account: AccountOnly,
}

#[derive(Deserialize)]
pub struct AccountOnly {
    pub id: String,
}

impl Common for SignOutClaims {
    fn audience(&self) -> &Audience {
        &self.aud
    }

    fn times(&self) -> (i64, i64, Option<i64>) {
        (self.exp, self.iat, self.nbf)
    }
}
