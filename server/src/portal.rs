//! Server side. A portal as the configuration registers it.
//!
//! | module | what it is |
//! |---|---|
//! | [`token`] | verifies the token with which a portal identifies its user |
//! | [`relay`] | the portal's own mail server |
//! | [`webhook`] | the portal's endpoint for events, and their delivery |

use std::sync::Arc;

use app::theme::GivenTheme;
use jsonwebtoken::{Algorithm, DecodingKey};

pub mod relay;
pub mod token;
pub mod webhook;

pub use relay::Relay;
pub use webhook::{Webhook, WebhookUrl};

/// A key of a portal.
#[derive(Clone)]
pub struct PortalKey {
    pub id: String,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

impl PortalKey {
    /// An HS256 key: at least 32 bytes shared with the portal (RFC 7518 §3.2).
    pub fn shared(id: &str, secret: &[u8]) -> Option<Self> {
        let long_enough = secret.len() >= 32;
        long_enough.then(|| Self::new(id, Algorithm::HS256, DecodingKey::from_secret(secret)))
    }

    /// A public key in PEM: Ed25519 (EdDSA, RFC 8037) or P-256 (ES256). The portal keeps the private one to itself.
    pub fn public(id: &str, pem: &[u8]) -> Option<Self> {
        DecodingKey::from_ed_pem(pem)
            .map(|key| Self::new(id, Algorithm::EdDSA, key))
            .or_else(|_| DecodingKey::from_ec_pem(pem).map(|key| Self::new(id, Algorithm::ES256, key)))
            .ok()
    }

    fn new(id: &str, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { id: id.to_owned(), algorithm, key }
    }
}

/// A portal that may open the configurator.
#[derive(Clone)]
pub struct Portal {
    /// The `iss` of its tokens.
    pub id: String,
    pub name: String,
    /// The origins that may post tokens and frame the pages, such as `https://portail.exemple`.
    pub origins: Vec<String>,
    /// The page for visitors without a session.
    pub home: Option<String>,
    /// The time zone of readers whose token names none: a name of the IANA Time Zone Database.
    pub time_zone: Option<String>,
    pub keys: Vec<PortalKey>,
    /// Only tokens with a `challenge` open and renew: a copied one is of no use.
    pub require_challenge: bool,
    /// The theme of the pages in this portal.
    pub theme: GivenTheme,
    /// Keys with which its server calls the API.
    pub api_keys: Vec<ApiKey>,
    /// The mail server of accounts that have none of their own.
    pub relay: Option<Arc<Relay>>,
    pub webhook: Option<Arc<Webhook>>,
}

impl Portal {
    /// Whether pages of this origin may post its tokens and frame our pages.
    pub fn registers(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    /// Whether a URL is a page of the portal: the configurator must not be an open redirect.
    fn leads_home(&self, url: &str) -> bool {
        self.origins.iter().any(|origin| {
            url.strip_prefix(origin.as_str()).is_some_and(|path| path.is_empty() || path.starts_with(['/', '?', '#']))
        })
    }
}

/// A key with which a portal's server calls the API. Only its hash is stored: the key itself is random, so it cannot be
/// found from the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
}
