//! The presets that the form offers: those of the table, after an operator's own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Guide, Preset, all};
use crate::{
    near::{is_slip_of, near},
    password::InnerSpaces,
    settings::Settings,
};

/// Every provider, in the order of display.
#[derive(Debug, Clone)]
pub struct Catalogue {
    presets: Vec<Preset>,
    guides: BTreeMap<String, Guide>,
}

/// The guides that several providers share.
#[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
fn shared_guides() -> BTreeMap<String, Guide> {
    let file: GuideFile =
        toml::from_str(include_str!("../../data/guides.toml")).expect("the built-in guides are valid");
    file.guide
}

#[derive(Deserialize)]
struct PresetFile {
    preset: Vec<Preset>,
}

#[derive(Deserialize)]
struct GuideFile {
    guide: BTreeMap<String, Guide>,
}

/// The catalogue file is invalid.
#[derive(Debug, thiserror::Error)]
#[error("cannot parse the catalogue of providers")]
pub struct CatalogueError(#[from] toml::de::Error);

impl Catalogue {
    /// The presets and guides of the table: the most common ones first, then those of France, then the others by name.
    pub fn builtin() -> Self {
        let mut presets: Vec<Preset> = all().iter().flat_map(|provider| provider.presets.iter().cloned()).collect();
        presets.sort_by_key(|preset| {
            let place = preset.usual.unwrap_or(u32::MAX);
            (place, preset.country != "FR", preset.name.to_lowercase())
        });
        let own = all().iter().flat_map(|provider| provider.guides.clone());
        Self { presets, guides: shared_guides().into_iter().chain(own).collect() }
    }

    /// Parses a catalogue: `[[preset]]` and `[guide.…]` tables.
    pub fn parse(presets: &str, guides: &str) -> Result<Self, CatalogueError> {
        let PresetFile { preset: presets } = toml::from_str(presets)?;
        let GuideFile { guide: guides } = toml::from_str(guides)?;
        Ok(Self { presets, guides })
    }

    /// This catalogue, with another one's providers before its own.
    #[must_use]
    pub fn preceded_by(mut self, first: Self) -> Self {
        self.presets.splice(0..0, first.presets);
        self.guides.extend(first.guides);
        self
    }

    pub fn all(&self) -> &[Preset] {
        &self.presets
    }

    pub fn get(&self, id: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.id == id)
    }

    /// The provider of this server; the first one if several share it.
    pub fn by_host(&self, host: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.is_at(host))
    }

    /// The server that a mistyped host probably means.
    pub fn near(&self, host: &str) -> Option<&str> {
        let hosts = self.presets.iter().filter(|preset| !preset.host_is_template).map(|preset| preset.host.as_str());
        if self.by_host(host).is_some() { None } else { near(host, hosts) }
    }

    /// The provider that an address belongs to.
    pub fn by_address(&self, address: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.has_address(address))
    }

    /// The provider of a domain, or the only one whose domain differs by one typing error.
    pub fn near_domain(&self, domain: &str) -> Option<&Preset> {
        let domain = domain.trim().to_ascii_lowercase();
        let slips = |preset: &&Preset| preset.domains.iter().any(|known| is_slip_of(&domain, known));
        let mut near = self.presets.iter().filter(slips);
        self.by_address(&["@", &domain].concat()).or_else(|| near.next().filter(|_| near.next().is_none()))
    }

    /// The provider of the settings' server: the chosen preset while the host is still its own, otherwise the provider
    /// of the host. So advice, limits and warnings of a preset end when its server is replaced.
    pub fn provider_of(&self, settings: &Settings) -> Option<&Preset> {
        let host = &settings.destination.host;
        let chosen = settings.preset.as_deref().and_then(|id| self.get(id));
        chosen.filter(|preset| preset.is_at(host)).or_else(|| self.by_host(host))
    }

    pub fn guide(&self, preset: &Preset) -> Option<&Guide> {
        self.guides.get(preset.guide.as_ref()?)
    }

    /// Whether spaces inside a secret are significant at this provider; for `None` and unknown ones they are.
    pub fn inner_spaces(&self, id: Option<&str>) -> InnerSpaces {
        id.and_then(|id| self.get(id)).map_or(InnerSpaces::Significant, Preset::inner_spaces)
    }

    /// The provider's display name; the host if there is none.
    pub fn name_of<'a>(&'a self, settings: &'a Settings) -> &'a str {
        self.provider_of(settings).map_or(settings.destination.host.as_str(), |preset| preset.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        address::EmailAddress,
        provider::{AppPassword, Status},
        security::Security,
        settings::Destination,
    };

    #[test]
    fn the_catalogue_is_whole() {
        let catalogue = Catalogue::builtin();
        assert!(catalogue.all().len() >= 100);
        let mut ids = BTreeSet::new();
        for preset in catalogue.all() {
            assert!(ids.insert(&preset.id), "{} stands twice", preset.id);
            let named = preset.guide.is_some();
            assert_eq!(named, catalogue.guide(preset).is_some(), "the guide of {}", preset.id);
            if matches!(preset.app_password, AppPassword::Required | AppPassword::Optional) {
                assert!(named, "{} wants an application password and has no guide", preset.id);
            }
            assert_ne!(preset.security, Security::None, "{}", preset.id);
            assert!(
                preset.status == Status::Ok || preset.status_note.is_some() || preset.status == Status::Unknown,
                "{}",
                preset.id
            );
        }
    }

    #[test]
    fn the_usual_ones_come_first() {
        let catalogue = Catalogue::builtin();
        let places: Vec<u32> = catalogue.all().iter().map_while(|preset| preset.usual).collect();
        assert_eq!(places, (1..=14).collect::<Vec<_>>());
        assert!(catalogue.all()[places.len()..].iter().all(|preset| preset.usual.is_none()));
        assert_eq!(catalogue.all()[0].id, "gmail");
    }

    #[test]
    fn a_domain_is_found_with_a_slip_where_one_provider_has_it() {
        let catalogue = Catalogue::builtin();
        for (domain, id) in [
            ("gmail.com", Some("gmail")),
            ("GMIAL.com", Some("gmail")),
            ("gmail.con", Some("gmail")),
            ("hotmial.fr", Some("outlook-com")),
            ("wanado.fr", Some("orange")),
            ("free.fr", Some("free")),
            ("free.f", Some("free")),
            ("gmx.fe", None),
            ("boulangerie-martin.fr", None),
            ("lire.com", None),
            ("free", None),
            ("", None),
        ] {
            assert_eq!(catalogue.near_domain(domain).map(|preset| preset.id.as_str()), id, "{domain}");
        }
    }

    #[test]
    fn gmail_fills_what_the_tutorial_says() {
        let catalogue = Catalogue::builtin();
        let gmail = catalogue.get("gmail").unwrap();
        assert_eq!((gmail.host.as_str(), gmail.port, gmail.security), ("smtp.gmail.com", 465, Security::Tls));
        assert!(gmail.cosmetic_spaces);
        assert!(catalogue.guide(gmail).unwrap().missing.len() >= 3);
    }

    fn settings(preset: Option<&str>, host: &str) -> Settings {
        Settings {
            name: String::new(),
            preset: preset.map(str::to_owned),
            user: None,
            destination: Destination {
                host: host.to_owned(),
                port: 465,
                security: Security::Tls,
                login: "claire@exemple.fr".to_owned(),
                mechanism: None,
            },
            sender_name: String::new(),
            sender_address: EmailAddress::parse("claire@exemple.fr").unwrap(),
            reply_to: None,
        }
    }

    #[test]
    fn a_preset_that_was_left_for_another_server_does_not_count() {
        let catalogue = Catalogue::builtin();
        for (preset, host, expected) in [
            (Some("gmail"), "smtp.gmail.com", Some("gmail")),
            (Some("gmail"), "SMTP.gmail.com", Some("gmail")),
            (Some("gmail"), "mail.boulangerie-martin.fr", None),
            (Some("gmail"), "smtp.office365.com", Some("microsoft-365")),
            (None, "smtp.office365.com", Some("microsoft-365")),
            (None, "villette.o2switch.net", Some("o2switch")),
            (None, "smtp-martin.alwaysdata.net", Some("alwaysdata")),
            (None, "o2switch.net", None),
            (Some("gone"), "mail.boulangerie-martin.fr", None),
        ] {
            let settings = settings(preset, host);
            let found = catalogue.provider_of(&settings).map(|preset| preset.id.as_str());
            assert_eq!(found, expected, "{preset:?} {host}");
            let name = expected.and_then(|id| catalogue.get(id)).map_or(host, |preset| preset.name.as_str());
            assert_eq!(catalogue.name_of(&settings), name);
        }
    }
}
