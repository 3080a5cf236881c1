//! Both. What the browser needs to know about a preset, in one attribute of its radio button.
//!
//! The DOM is the state: no catalogue is in the WebAssembly, and a page rendered with a hundred presets fills its
//! fields without another request. The domains of a provider's addresses are left out, because they would add two
//! kilobytes to every form; the browser requests the typed one (`/profiles/provider`).

use super::{password::SecretShape, security::Security};

/// The values of the preset that fill fields, and what the warnings need.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the attribute")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetHint {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Whether inner spaces of the secret are cosmetic.
    pub cosmetic_spaces: bool,
    /// The form of an application password there.
    pub shape: SecretShape,
    /// Whether only the login's own address may send.
    pub sender_is_login: bool,
    /// Whether the provider is phasing out password logins.
    pub ending: bool,
    /// Whether it no longer accepts passwords.
    pub over: bool,
    /// Whether the provider issues addresses; a sending service does not.
    pub has_addresses: bool,
    /// The same login for every customer of the provider, such as `apikey`.
    pub login: Option<String>,
}

impl PresetHint {
    /// `host port security [flags [login]]`, with `-` for a missing part before a present one. The flags: `c` cosmetic
    /// spaces, `l` sixteen letters, `d` groups with dashes, `s` the sender is the login, `e` passwords are being phased
    /// out, `o` passwords are no longer accepted, `a` has addresses.
    pub fn encode(&self) -> String {
        let Self { host, port, security, login, .. } = self;
        let host = if host.is_empty() { "-" } else { host };
        let flags: String = [
            (self.cosmetic_spaces, 'c'),
            (self.shape == SecretShape::Letters, 'l'),
            (self.shape == SecretShape::Groups, 'd'),
            (self.sender_is_login, 's'),
            (self.ending, 'e'),
            (self.over, 'o'),
            (self.has_addresses, 'a'),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
        let rest = match (flags.as_str(), login) {
            ("", None) => String::new(),
            (flags, None) => format!(" {flags}"),
            ("", Some(login)) => format!(" - {login}"),
            (flags, Some(login)) => format!(" {flags} {login}"),
        };
        format!("{host} {port} {}{rest}", security.as_str())
    }

    /// The reverse of [`encode`](Self::encode); `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let present = |word: &str| (word != "-").then(|| word.to_owned());
        let host = present(words.next()?).unwrap_or_default();
        let port = words.next()?.parse().ok()?;
        let security = Security::parse(words.next()?)?;
        let flags = words.next().unwrap_or_default();
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
            has_addresses: is('a'),
            login: words.next().and_then(present),
        })
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
            has_addresses: true,
            login: None,
        }
    }

    #[test]
    fn decoding_reverses_encoding() {
        assert_eq!(gmail().encode(), "smtp.gmail.com 465 tls cla");
        assert_eq!(PresetHint::decode(&gmail().encode()), Some(gmail()));
        let flagged =
            PresetHint { shape: SecretShape::Groups, sender_is_login: true, ending: true, over: true, ..gmail() };
        assert_eq!(PresetHint::decode(&flagged.encode()), Some(flagged));
        let with_login = PresetHint { login: Some("apikey".to_owned()), ..gmail() };
        assert_eq!(PresetHint::decode(&with_login.encode()), Some(with_login));
        let bare = PresetHint { cosmetic_spaces: false, shape: SecretShape::Any, has_addresses: false, ..gmail() };
        assert_eq!(bare.encode(), "smtp.gmail.com 465 tls");
        assert_eq!(PresetHint::decode(&bare.encode()), Some(bare.clone()));
        let service = PresetHint { login: Some("apikey".to_owned()), ..bare };
        assert_eq!(service.encode(), "smtp.gmail.com 465 tls - apikey");
        assert_eq!(PresetHint::decode(&service.encode()), Some(service));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in any::<String>()) {
            let _ = PresetHint::decode(&text);
        }
    }
}
