//! Server side. What limits where a token may be used: the Facteur it is for, and the page that requested it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The audience of tokens that may be used at any Facteur with the portal's key.
const ANY: &str = "facteur";

/// The claim `aud` (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether a token may be used at this address. A token that names addresses is valid for these only.
    pub(super) fn is(&self, public_url: &str) -> bool {
        let names = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        };
        let ours = names.iter().any(|name| name == public_url);
        let anybody = names.iter().any(|name| name == ANY) && !names.iter().any(|name| is_address(name));
        ours || anybody
    }
}

fn is_address(name: &str) -> bool {
    let starts_with = |scheme: &str| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts_with("http:") || starts_with("https:")
}

/// The claim `challenge`: the SHA-256 of a verifier that only the requesting page knows (as in RFC 7636 §4.2, method
/// S256). A token that was copied on its way is useless without the verifier.
pub(super) struct Challenge([u8; 32]);

impl Challenge {
    pub(super) fn parse(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(super) fn is_of(&self, verifier: &str) -> bool {
        bool::from(Sha256::digest(verifier.as_bytes()).ct_eq(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_names_an_address_is_for_that_address() {
        let url = "https://facteur.exemple/smtp";
        let one = |name: &str| Audience::One(name.to_owned());
        let many = |names: &[&str]| Audience::Many(names.iter().map(|name| (*name).to_owned()).collect());
        for audience in [one("facteur"), one(url), many(&["facteur"]), many(&["x", url]), many(&["https://x", url])] {
            assert!(audience.is(url), "{audience:?}");
        }
        for audience in [
            one(""),
            one("Facteur"),
            one("https://facteur.exemple"),
            one("https://facteur.exemple/smtp/"),
            one("https://facteur.exemple/smtp2"),
            one("http://facteur.exemple/smtp"),
            many(&[]),
            many(&["x"]),
            many(&["facteur", "https://autre.exemple"]),
            many(&["HTTPS://autre.exemple", "facteur"]),
        ] {
            assert!(!audience.is(url), "{audience:?}");
        }
    }

    #[test]
    fn a_challenge_is_met_by_its_verifier_only() {
        // RFC 7636, appendix B.
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        for verifier in
            ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
        {
            assert!(!challenge.is_of(verifier), "{verifier}");
        }
        for text in ["", "E9Melhoa", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "not base64!"] {
            assert!(Challenge::parse(text).is_none(), "{text}");
        }
    }
}
