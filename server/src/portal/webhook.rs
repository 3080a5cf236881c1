//! Server side. A portal's endpoint for events.

use zeroize::Zeroizing;

mod delivery;

pub use delivery::{WebhookParts, Webhooks};

/// A portal's endpoint for events.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: WebhookUrl,
    /// Each of them signs, so that they can be rotated.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
}

/// A URL in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    pub secure: bool,
    pub host: String,
    pub port: u16,
    /// Including the query.
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
