//! Server side. A portal as the configuration registers it: where its pages are, and the keys that sign its tokens.

use std::sync::Arc;

use app::{profile::model::Destination, theme::GivenTheme};
use jsonwebtoken::{Algorithm, DecodingKey};
use lettre::message::Mailbox;
use secrecy::SecretString;
use zeroize::Zeroizing;

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
    /// Only tokens with a `challenge` open and renew: a copied one is of no use.
    pub require_challenge: bool,
    /// How the pages look in it.
    pub theme: GivenTheme,
    /// What its server may call the API with.
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
    pub(super) fn leads_home(&self, url: &str) -> bool {
        self.origins.iter().any(|origin| {
            url.strip_prefix(origin.as_str()).is_some_and(|path| path.is_empty() || path.starts_with(['/', '?', '#']))
        })
    }
}

/// A key with which a portal's server calls the API. Only its hash is known: the key itself is random, so nobody finds it
/// from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
}

/// The mail server of the portal itself.
#[derive(Debug, Clone)]
pub struct Relay {
    pub destination: Destination,
    /// `None`: it takes mail without a login.
    pub secret: Option<SecretString>,
    pub sender: Mailbox,
    pub connections: Option<u32>,
    pub per_minute: Option<u32>,
}

/// Where a portal is told what happens.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: WebhookUrl,
    /// Every one signs, so that they can be rotated.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
}

/// A URL in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    pub secure: bool,
    pub host: String,
    pub port: u16,
    /// With the query.
    pub path: String,
}

impl WebhookUrl {
    /// `https://host[:port][/path][?query]`, or http.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '#' || !c.is_ascii();
        if authority.contains('@') || url.contains(bad) {
            return None;
        }
        let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], authority[at + 1..].parse().ok()?),
            None => (authority, if secure { 443 } else { 80 }),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (!host.is_empty()).then(|| Self { secure, host: host.to_owned(), port, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_webhooks_come_apart() {
        let url = |secure, host: &str, port, path: &str| {
            Some(WebhookUrl { secure, host: host.to_owned(), port, path: path.to_owned() })
        };
        for (text, expected) in [
            ("https://portal.example/hook?x=1", url(true, "portal.example", 443, "/hook?x=1")),
            ("https://portal.example:8443", url(true, "portal.example", 8443, "/")),
            ("http://127.0.0.1:3902?a", url(false, "127.0.0.1", 3902, "/?a")),
            ("https://[2001:db8::1]:1/a", url(true, "[2001:db8::1]", 1, "/a")),
            ("https://[2001:db8::1]", url(true, "[2001:db8::1]", 443, "/")),
            ("ftp://portal.example", None),
            ("https://a@portal.example", None),
            ("https://portal.example/a b", None),
            ("https://portal.example/\r\nX: y", None),
            ("https://:443/", None),
            ("https://portal.example:x/", None),
        ] {
            assert_eq!(WebhookUrl::parse(text), expected, "{text}");
        }
    }
}
