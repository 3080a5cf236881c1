//! The name of a mail server, as typed and as kept.

use std::{fmt, net::IpAddr};

/// A host name in canonical form: A-labels (RFC 5890), lower case, no trailing dot; at most 253 characters, labels of
/// at most 63 (RFC 1035 §2.3.4), at least two labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

/// Why a text is not accepted as a host. The error does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It contains a scheme, a port, a user, a path or a space, or breaks the rules for names.
    #[error("not a host name")]
    Invalid,
    /// A name or number of this machine or its network.
    #[error("not a public host name")]
    NotAllowed,
}

/// In bytes: 253 characters of four bytes each. A longer text is refused unread.
const LONGEST_TYPED: usize = 1_024;
/// Names that are never public (RFC 6761, RFC 6762, ICANN's `internal`).
const LOCAL_SUFFIXES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

impl Host {
    /// Reads a host name.
    pub fn parse(typed: &str) -> Result<Self, HostError> {
        let typed = typed.trim_matches(' ');
        if is_address(typed) {
            return Err(HostError::NotAllowed);
        }
        let name = typed.strip_suffix('.').unwrap_or(typed);
        if name.len() > LONGEST_TYPED {
            return Err(HostError::Invalid);
        }
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || "/:@\\?#[]%<>\"'(){},;=&".contains(c);
        if name.is_empty() || name.contains(forbidden) {
            return Err(HostError::Invalid);
        }
        let ascii = idna::domain_to_ascii_strict(name).map_err(|_| HostError::Invalid)?;
        let ascii = ascii.strip_suffix('.').unwrap_or(&ascii).to_owned();
        let labels: Vec<&str> = ascii.split('.').collect();
        let well_formed = ascii.len() <= 253
            && labels.iter().all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        if !well_formed {
            return Err(HostError::Invalid);
        }
        // Only now, after normalisation, full-width digits are digits.
        let numeric = labels.last().is_some_and(|last| is_number(last));
        let local = LOCAL_SUFFIXES
            .iter()
            .any(|suffix| ascii == *suffix || ascii.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')));
        if labels.len() < 2 || numeric || local {
            return Err(HostError::NotAllowed);
        }
        Ok(Self(ascii))
    }

    /// An address that the operator allows to be dialled directly.
    pub(crate) fn of_address(address: IpAddr) -> Self {
        Self(address.to_string())
    }

    /// Any name, including names of this machine or its network: `localhost`, `mailpit`, `mail.internal`, `mail_relay`.
    /// Only for names from the operator's configuration.
    pub(crate) fn of_any_name(typed: &str) -> Option<Self> {
        let name = typed.trim_matches(' ');
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.len() > LONGEST_TYPED {
            return None;
        }
        let name = if name.is_ascii() { name.to_ascii_lowercase() } else { idna::domain_to_ascii_strict(name).ok()? };
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let is_name =
            name.len() <= 253 && name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_number);
        is_name.then_some(Self(name))
    }

    /// Whether the name always means this machine (RFC 6761 §6.3).
    pub(crate) fn is_localhost(&self) -> bool {
        self.0.rsplit('.').next() == Some("localhost")
    }

    /// The name in canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every spelling of an address that some resolver or browser accepts: `::1`, `[::1]`, `127.1`, `0x7f.1`,
/// `017700000001`.
fn is_address(text: &str) -> bool {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split('%').next().unwrap_or_default();
    bare.trim_end_matches('.').parse::<IpAddr>().is_ok()
        || (!bare.is_empty() && bare.trim_end_matches('.').split('.').all(is_number))
}

/// Decimal, octal or hexadecimal (WHATWG URL, "IPv4 number").
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_kept_in_one_form() {
        for (typed, kept) in [
            ("smtp.gmail.com", "smtp.gmail.com"),
            (" SMTP.Gmail.com. ", "smtp.gmail.com"),
            ("smtp.exämple.fr", "smtp.xn--exmple-cua.fr"),
            ("smtp.exa\u{308}mple.fr", "smtp.xn--exmple-cua.fr"),
            ("mail2.3com.example", "mail2.3com.example"),
        ] {
            assert_eq!(Host::parse(typed).map(|host| host.to_string()).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn this_machine_and_its_network_are_refused_in_every_spelling() {
        for typed in [
            "127.0.0.1",
            "::1",
            "[::1]",
            "0.0.0.0",
            "[::]",
            "localhost",
            "LOCALHOST.",
            "foo.localhost",
            "10.0.0.1",
            "169.254.169.254",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "fe80::1%eth0",
            "127.0.0.1.",
            "[::ffff:127.0.0.1]",
            "printer",
            "nas.local",
            "db.internal",
            "router.home.arpa",
            "１２７.0.0.1",
            "1.1.1.1",
        ] {
            assert_eq!(Host::parse(typed), Err(HostError::NotAllowed), "{typed}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let (long_name, long_label) = (format!("{}fr", "abcdefg.".repeat(32)), format!("{}.fr", "a".repeat(64)));
        for typed in [
            "",
            ".",
            "smtp://smtp.exemple.fr",
            "smtp.exemple.fr:25",
            "a@smtp.exemple.fr",
            "smtp.exemple.fr/..",
            "a b.fr",
            "x.fr\r\nRCPT TO:<y>",
            "smtp..fr",
            "-smtp.fr",
            "smtp-.fr",
            "smtp.fr..",
            "smtp_1.fr",
            "smtp.fr\0",
            "{region}.fr",
            &long_name,
            &long_label,
        ] {
            assert_eq!(Host::parse(typed), Err(HostError::Invalid), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_stable_and_harmless(typed in "\\PC{0,40}") {
            if let Ok(host) = Host::parse(&typed) {
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host.clone()));
                prop_assert!(host.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'));
                prop_assert!(host.as_str().parse::<IpAddr>().is_err());
            }
        }
    }
}
