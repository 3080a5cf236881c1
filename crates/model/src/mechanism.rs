//! The supported login mechanisms (SASL, RFC 4422).

use serde::{Deserialize, Serialize};

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mechanism {
    /// RFC 7677: the password is not shown to the server, and the server proves that it knows it.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// RFC 4616.
    #[serde(rename = "PLAIN")]
    Plain,
    /// No standard; every server supports it.
    #[serde(rename = "LOGIN")]
    Login,
    /// RFC 2195.
    #[serde(rename = "CRAM-MD5")]
    CramMd5,
    /// Google's and Microsoft's; the secret is an access token. Used only on request.
    #[serde(rename = "XOAUTH2")]
    Xoauth2,
    /// RFC 7628; the secret is an access token. Used only on request.
    #[serde(rename = "OAUTHBEARER")]
    OauthBearer,
}

impl Mechanism {
    pub const ALL: [Self; 6] =
        [Self::ScramSha256, Self::Plain, Self::Login, Self::CramMd5, Self::Xoauth2, Self::OauthBearer];

    /// The name in the protocol and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }

    /// Whether the secret is an OAuth access token, not a password.
    pub const fn is_token(self) -> bool {
        matches!(self, Self::Xoauth2 | Self::OauthBearer)
    }

    /// The mechanism of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::from_name(&mechanism.name().to_ascii_lowercase()), Some(mechanism));
        }
        assert_eq!(Mechanism::from_name("OAUTH"), None);
    }

    #[test]
    fn two_mechanisms_take_a_token() {
        let tokens: Vec<Mechanism> = Mechanism::ALL.into_iter().filter(|mechanism| mechanism.is_token()).collect();
        assert_eq!(tokens, [Mechanism::Xoauth2, Mechanism::OauthBearer]);
    }
}
