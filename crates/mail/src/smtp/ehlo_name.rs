//! Our name in EHLO: set by the operator, never by a user.

use std::{fmt, net::IpAddr};

use crate::net::Host;

/// A host name, or an address literal (RFC 5321 §4.1.3): it cannot contain a second command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EhloName(String);

/// The text is neither a host name nor an address literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a host name nor an address literal such as [192.0.2.1]")]
pub struct EhloNameError;

impl EhloName {
    /// Parses `mail.example.com`, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    pub fn parse(text: &str) -> Result<Self, EhloNameError> {
        let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Some(literal) = literal else {
            return Host::parse(text).map(|host| Self(host.to_string())).map_err(|_| EhloNameError);
        };
        let tagged = literal.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).map(|_| &literal[5..]);
        match (tagged, tagged.unwrap_or(literal).parse::<IpAddr>()) {
            (None, Ok(IpAddr::V4(address))) => Ok(Self(format!("[{address}]"))),
            (Some(_), Ok(IpAddr::V6(address))) => Ok(Self(format!("[IPv6:{address}]"))),
            _ => Err(EhloNameError),
        }
    }

    /// The name as sent in EHLO.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EhloName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_taken() {
        for (text, kept) in [
            ("Mail.Exemple.FR", "mail.exemple.fr"),
            ("crêperie.fr", "xn--crperie-kya.fr"),
            ("[192.0.2.1]", "[192.0.2.1]"),
            ("[ipv6:2001:DB8::1]", "[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(EhloName::parse(text).map(|name| name.to_string()).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "localhost",
            "192.0.2.1",
            "[2001:db8::1]",
            "[IPv6:192.0.2.1]",
            "[é]",
            "a b.fr",
            "a.fr\r\nMAIL FROM:<>",
            "[192.0.2.1]\r\n",
        ] {
            assert_eq!(EhloName::parse(text), Err(EhloNameError), "{text:?}");
        }
    }
}
