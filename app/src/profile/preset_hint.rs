//! Both. What the browser needs to know of a preset, in one attribute of its radio button.
//!
//! The DOM is the state: no catalogue is in the WebAssembly, and a page that was rendered with a hundred presets
//! fills its fields without asking the server again.

use super::security::Security;

/// The part of a preset that fills fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetHint {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Whether inner spaces of the secret are cosmetic.
    pub cosmetic_spaces: bool,
    /// The login that every customer of the provider has, such as `apikey`.
    pub login: Option<String>,
    /// The domains of the provider's own addresses.
    pub domains: Vec<String>,
}

impl PresetHint {
    /// `host port security cosmetic login domain,domain…`, with `-` for what is not there.
    pub fn encode(&self) -> String {
        let Self { host, port, security, cosmetic_spaces, login, domains } = self;
        let host = if host.is_empty() { "-" } else { host };
        let cosmetic = if *cosmetic_spaces { "c" } else { "-" };
        let login = login.as_deref().unwrap_or("-");
        format!("{host} {port} {} {cosmetic} {login} {}", security.as_str(), domains.join(",")).trim_end().to_owned()
    }

    /// The reverse of [`encode`](Self::encode); `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let present = |word: &str| (word != "-").then(|| word.to_owned());
        Some(Self {
            host: present(words.next()?).unwrap_or_default(),
            port: words.next()?.parse().ok()?,
            security: Security::parse(words.next()?)?,
            cosmetic_spaces: words.next()? == "c",
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
            login: None,
            domains: vec!["gmail.com".to_owned(), "googlemail.com".to_owned()],
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(gmail().encode(), "smtp.gmail.com 465 tls c - gmail.com,googlemail.com");
        assert_eq!(PresetHint::decode(&gmail().encode()), Some(gmail()));
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
