//! Server side. The catalogue of providers, and the guides to their application passwords.
//!
//! To add a provider: an entry in `data/presets.toml` (docs/presets.md says what each line means); a guide in
//! `data/guides.toml` when it wants another secret than the mailbox' password.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{password::InnerSpaces, preset_hint::PresetHint, security::Security, warnings::SecretShape};
use crate::i18n::Localised;

/// What the login of a provider's customer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum LoginForm {
    /// The whole address.
    #[default]
    Address,
    /// What stands before the `@`.
    LocalPart,
    /// Something of the provider's own.
    Other,
}

/// Whether the account's own password will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AppPassword {
    Required,
    Optional,
    #[default]
    None,
    Unavailable,
}

/// Whether the provider still lets programs in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    #[default]
    Ok,
    Deprecated,
    Ending,
    OauthOnly,
    Unknown,
}

/// Which senders a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum SenderRule {
    /// The login's own address.
    Login,
    /// Any address of the account's.
    Any,
    #[default]
    Unknown,
}

/// Another door.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alternate {
    pub host: String,
    pub port: u16,
    pub security: Security,
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Preset {
    pub id: String,
    pub name: String,
    /// Among the first ones shown.
    #[serde(default)]
    pub usual: bool,
    pub host: String,
    /// The host holds a placeholder such as `{region}`.
    #[serde(default)]
    pub host_is_template: bool,
    pub host_hint: Option<Localised>,
    pub port: u16,
    pub security: Security,
    /// Other doors that the provider documents.
    #[serde(default)]
    pub alternates: Vec<Alternate>,
    #[serde(default)]
    pub login: LoginForm,
    #[serde(default)]
    pub sender: SenderRule,
    pub login_hint: Option<Localised>,
    /// The login that every customer has, such as `apikey`.
    pub login_fixed: Option<String>,
    #[serde(default)]
    pub domains: Vec<String>,
    #[serde(default)]
    pub app_password: AppPassword,
    #[serde(default)]
    pub cosmetic_spaces: bool,
    #[serde(default)]
    pub secret_shape: SecretShape,
    #[serde(default)]
    pub status: Status,
    pub status_note: Option<Localised>,
    pub note: Option<Localised>,
    pub help_url: Option<String>,
    pub app_password_url: Option<String>,
    pub guide: Option<String>,
    /// Messages in 24 hours.
    pub daily_limit: Option<u32>,
    /// Messages a minute.
    pub per_minute: Option<u32>,
    /// Connections at the same time.
    pub max_connections: Option<u32>,
    /// Other words people look for.
    #[serde(default)]
    pub search: Vec<String>,
}

impl Preset {
    pub fn inner_spaces(&self) -> InnerSpaces {
        if self.cosmetic_spaces { InnerSpaces::Cosmetic } else { InnerSpaces::Significant }
    }

    /// What the browser gets to know.
    pub fn hint(&self) -> PresetHint {
        PresetHint {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            cosmetic_spaces: self.cosmetic_spaces,
            shape: self.secret_shape,
            sender_is_login: self.sender == SenderRule::Login,
            ending: matches!(self.status, Status::Ending | Status::Deprecated),
            over: self.status == Status::OauthOnly,
            login: self.login_fixed.clone(),
            domains: self.domains.clone(),
        }
    }
}

/// How to get the secret of a provider, and why its page may not be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Guide {
    pub secret_name: Localised,
    /// In order; `{url}` stands for the preset's page.
    pub steps: Vec<Localised>,
    #[serde(default)]
    pub missing: Vec<Localised>,
    pub shape: Option<Localised>,
}

/// Every provider, in the order of display.
#[derive(Debug, Clone)]
pub struct Catalogue {
    presets: Vec<Preset>,
    guides: BTreeMap<String, Guide>,
}

#[derive(Deserialize)]
struct PresetFile {
    preset: Vec<Preset>,
}

#[derive(Deserialize)]
struct GuideFile {
    guide: BTreeMap<String, Guide>,
}

/// A catalogue file with a fault.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue of providers does not read")]
pub struct CatalogueError(#[from] toml::de::Error);

impl Catalogue {
    /// The catalogue that is compiled in.
    ///
    /// # Panics
    ///
    /// Never in a tested build: a test reads the same files.
    #[expect(clippy::expect_used, reason = "the files are compiled in, and a test reads them")]
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../data/presets.toml"), include_str!("../../data/guides.toml"))
            .expect("the catalogue of the sources reads")
    }

    /// Reads a catalogue: `[[preset]]` tables and `[guide.…]` tables.
    pub fn parse(presets: &str, guides: &str) -> Result<Self, CatalogueError> {
        let PresetFile { preset: presets } = toml::from_str(presets)?;
        let GuideFile { guide: guides } = toml::from_str(guides)?;
        Ok(Self { presets, guides })
    }

    /// This catalogue with another one's providers before its own.
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

    /// The provider whose server this is; the first one where several share it.
    pub fn by_host(&self, host: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.host.eq_ignore_ascii_case(host))
    }

    /// The provider that an address belongs to.
    pub fn by_address(&self, address: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.hint().knows(address))
    }

    pub fn guide(&self, preset: &Preset) -> Option<&Guide> {
        self.guides.get(preset.guide.as_ref()?)
    }

    /// What spaces inside a secret mean at this provider; `None` and unknown ones may use them.
    pub fn inner_spaces(&self, id: Option<&str>) -> InnerSpaces {
        id.and_then(|id| self.get(id)).map_or(InnerSpaces::Significant, Preset::inner_spaces)
    }

    /// The provider's name for people; the host where there is none.
    pub fn name<'a>(&'a self, preset: Option<&str>, host: &'a str) -> &'a str {
        preset.and_then(|id| self.get(id)).map_or(host, |preset| preset.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

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
            if !preset.host_is_template {
                assert_eq!(PresetHint::decode(&preset.hint().encode()), Some(preset.hint()), "{}", preset.id);
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
        let last_usual = catalogue.all().iter().rposition(|preset| preset.usual).unwrap();
        assert!(catalogue.all()[..=last_usual].iter().all(|preset| preset.usual));
        assert_eq!(catalogue.all()[0].id, "gmail");
    }

    #[test]
    fn gmail_fills_what_the_tutorial_says() {
        let catalogue = Catalogue::builtin();
        let gmail = catalogue.get("gmail").unwrap();
        assert_eq!((gmail.host.as_str(), gmail.port, gmail.security), ("smtp.gmail.com", 465, Security::Tls));
        assert!(gmail.cosmetic_spaces);
        assert!(catalogue.guide(gmail).unwrap().missing.len() >= 3);
    }
}
