//! Both. What the browser needs to know of a preset, in one attribute of its radio button.
//!
//! The DOM is the state: no catalogue is in the WebAssembly, and a page that was rendered with a hundred presets
//! fills its fields without asking the server again.

use super::{password::SecretShape, security::Security};

/// The part of a preset that fills fields, and what the warnings ask of it.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the attribute")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetHint {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Whether inner spaces of the secret are cosmetic.
    pub cosmetic_spaces: bool,
    /// How an application password looks there.
    pub shape: SecretShape,
    /// Whether only the login's own address may send.
    pub sender_is_login: bool,
    /// Whether the provider is closing the login with a password.
    pub ending: bool,
    /// Whether it takes no password any more.
    pub over: bool,
    /// The login that every customer of the provider has, such as `apikey`.
    pub login: Option<String>,
    /// The domains of the provider's own addresses.
    pub domains: Vec<String>,
}

impl PresetHint {
    /// `host port security flags login domain,domain…`, with `-` for what is not there. The flags: `c` cosmetic spaces,
    /// `l` sixteen letters, `d` groups with dashes, `s` the sender is the login, `e` passwords are ending, `o` are over.
    pub fn encode(&self) -> String {
        let Self { host, port, security, login, domains, .. } = self;
        let host = if host.is_empty() { "-" } else { host };
        let flags: String = [
            (self.cosmetic_spaces, 'c'),
            (self.shape == SecretShape::Letters, 'l'),
            (self.shape == SecretShape::Groups, 'd'),
            (self.sender_is_login, 's'),
            (self.ending, 'e'),
            (self.over, 'o'),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
        let flags = if flags.is_empty() { "-" } else { &flags };
        let login = login.as_deref().unwrap_or("-");
        format!("{host} {port} {} {flags} {login} {}", security.as_str(), domains.join(",")).trim_end().to_owned()
    }

    /// The reverse of [`encode`](Self::encode); `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let present = |word: &str| (word != "-").then(|| word.to_owned());
        let host = present(words.next()?).unwrap_or_default();
        let port = words.next()?.parse().ok()?;
        let security = Security::parse(words.next()?)?;
        let flags = words.next()?;
        let is = |flag: char| flags.contains(flag);
        Some(Self {
            host,
            port,
            security,
            cosmetic_spaces: is('c'),
            shape: if is('l') {
                SecretShape::Letters
            } else if is('d') {
                SecretShape::Groups
            } else {
                SecretShape::Any
            },
            sender_is_login: is('s'),
            ending: is('e'),
            over: is('o'),
            login: present(words.next()?),
            domains: words.next().map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        })
    }

    /// Whether `address` is one of the provider's own.
    pub fn knows(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).trim();
        self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gmail() -> PresetHint {
        PresetHint {
            host: "smtp.gmail.com".to_owned(),
            port: 465,
            security: Security::Tls,
            cosmetic_spaces: true,
            shape: SecretShape::Letters,
            sender_is_login: false,
            ending: false,
            over: false,
            login: None,
            domains: vec!["gmail.com".to_owned(), "googlemail.com".to_owned()],
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(gmail().encode(), "smtp.gmail.com 465 tls cl - gmail.com,googlemail.com");
        assert_eq!(PresetHint::decode(&gmail().encode()), Some(gmail()));
        let flagged =
            PresetHint { shape: SecretShape::Groups, sender_is_login: true, ending: true, over: true, ..gmail() };
        assert_eq!(PresetHint::decode(&flagged.encode()), Some(flagged));
        let none = PresetHint { cosmetic_spaces: false, shape: SecretShape::Any, ..gmail() };
        assert_eq!(PresetHint::decode(&none.encode()), Some(none));
        let bare = PresetHint { domains: vec![], login: Some("apikey".to_owned()), ..gmail() };
        assert_eq!(PresetHint::decode(&bare.encode()), Some(bare));
    }

    #[test]
    fn addresses_are_recognised_by_their_domain() {
        assert!(gmail().knows("Claire@GMAIL.com "));
        assert!(!gmail().knows("claire@notgmail.com"));
        assert!(!gmail().knows("gmail.com"));
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_without_a_panic(text in any::<String>()) {
            let _ = PresetHint::decode(&text);
        }
    }
}
