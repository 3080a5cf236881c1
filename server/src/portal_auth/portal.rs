//! Server side. A portal as the configuration registers it: where its pages are, and the keys that sign its tokens.

use app::theme::GivenTheme;
use jsonwebtoken::{Algorithm, DecodingKey};

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
    /// Where somebody without a session is sent to.
    pub home: Option<String>,
    pub keys: Vec<PortalKey>,
    /// How the pages look in it.
    pub theme: GivenTheme,
}

impl Portal {
    /// Whether pages of this origin may post its tokens and frame our pages.
    pub fn registers(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    /// Whether a URL is a page of the portal: nobody may use the configurator to send people elsewhere.
    pub(super) fn leads_home(&self, url: &str) -> bool {
        self.origins.iter().any(|origin| {
            url.strip_prefix(origin.as_str()).is_some_and(|path| path.is_empty() || path.starts_with(['/', '?', '#']))
        })
    }
}
