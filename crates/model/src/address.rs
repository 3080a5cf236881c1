//! An e-mail address, as typed and as kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A mailbox: `local-part@domain`, the domain as A-labels in lower case, the local part as typed (RFC 5321 §2.4: only
/// the receiving server may interpret it).
///
/// At most 64 octets before the `@` and 254 in all (RFC 5321 §4.5.3.1, RFC 3696 erratum 1690). Quoted local parts,
/// comments, address literals and source routes are legal but refused here: no provider uses them, and each could be
/// used to inject something into a command.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an address; the error does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct AddressError;

impl EmailAddress {
    /// Parses an address. White space around it is removed.
    pub fn parse(typed: &str) -> Result<Self, AddressError> {
        let typed = typed.trim();
        let (local, domain) = typed.rsplit_once('@').ok_or(AddressError)?;
        let local_is_dot_atom = !local.is_empty()
            && local.len() <= 64
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character));
        // In bytes: 254 characters of four bytes each. A longer domain is refused unread.
        if !local_is_dot_atom || domain.len() > 1_024 {
            return Err(AddressError);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError)?;
        let domain = domain.as_str();
        let labels_are_names = domain.contains('.')
            && !domain.ends_with('.')
            && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63)
            && !domain.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let address = format!("{local}@{domain}");
        if !labels_are_names || address.len() > 254 || address.parse::<lettre::Address>().is_err() {
            return Err(AddressError);
        }
        Ok(Self(address))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// `atext` of RFC 5322 §3.2.3, and the letters and digits of other scripts (RFC 6532), which need SMTPUTF8.
fn is_atom_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && character.is_alphanumeric())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// For logs and failed assertions: recognisable, but not usable as an address.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first: String = self.0.chars().take(1).collect();
        write!(formatter, "{first}…@{}", self.domain())
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = AddressError;

    fn try_from(value: String) -> Result<Self, AddressError> {
        Self::parse(&value)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_people_have_are_taken() {
        for (typed, kept) in [
            ("claire@boulangerie-martin.fr", "claire@boulangerie-martin.fr"),
            (" Claire.Martin+devis@Exemple.FR ", "Claire.Martin+devis@exemple.fr"),
            ("contact@crêperie.fr", "contact@xn--crperie-kya.fr"),
            ("hélène@exemple.fr", "hélène@exemple.fr"),
        ] {
            assert_eq!(EmailAddress::parse(typed).map(String::from).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long_local = format!("{}@exemple.fr", "a".repeat(65));
        let long_domain = format!("a@{}.fr", "b".repeat(64));
        for typed in [
            "",
            "claire",
            "@exemple.fr",
            "claire@",
            "claire@exemple",
            "a@b@c.fr",
            "a b@exemple.fr",
            ".a@exemple.fr",
            "a..b@exemple.fr",
            "a@exemple..fr",
            "a@-exemple.fr",
            "a@exemple.fr.",
            "a@192.0.2.1",
            "a@[192.0.2.1]",
            "\"a b\"@exemple.fr",
            "\"a> SIZE=1\"@exemple.fr",
            "a@exemple.fr\r\nRCPT TO:<b@exemple.fr>",
            "a\u{202e}b@exemple.fr",
            "a\0@exemple.fr",
            "@relay,@b:a@exemple.fr",
            "Groupe: a@exemple.fr;",
            "<a@exemple.fr>",
            "Claire <a@exemple.fr>",
            &long_local,
            &long_domain,
        ] {
            assert_eq!(EmailAddress::parse(typed), Err(AddressError), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_stable_and_harmless(typed in "\\PC{0,20}@?\\PC{0,30}") {
            if let Ok(address) = EmailAddress::parse(&typed) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
                let harmless = address.as_str().chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>\",;:()[]\\".contains(c));
                prop_assert!(harmless);
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
