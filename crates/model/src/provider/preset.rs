//! The values that fill the form for a provider, and how its customers get the secret.

use serde::Deserialize;

use crate::{
    locale::Localised,
    password::{InnerSpaces, SecretShape},
    security::Security,
};

/// The form of the login at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum LoginForm {
    /// The whole address.
    #[default]
    Address,
    /// The part before the `@`.
    LocalPart,
    /// An identifier of the provider's own.
    Other,
}

/// Whether the account's own password is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AppPassword {
    Required,
    Optional,
    #[default]
    None,
    Unavailable,
}

/// Whether the provider still accepts password logins.
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

/// Which sender addresses a provider accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum SenderRule {
    /// The login's own address.
    Login,
    /// Any address of the account.
    Any,
    #[default]
    Unknown,
}

/// Another server or port of the provider.
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
    /// A shorter name for a card; at most two lines of it.
    pub short: Option<String>,
    /// Its position among the ones shown first, from 1; `None`: it is in the list below them.
    pub usual: Option<u32>,
    /// ISO 3166-1 alpha-2, or `INT`: where most of its customers are.
    #[serde(default)]
    pub country: String,
    pub host: String,
    /// The host contains a placeholder such as `{region}`.
    #[serde(default)]
    pub host_is_template: bool,
    pub host_hint: Option<Localised>,
    pub port: u16,
    pub security: Security,
    /// Other servers and ports that the provider documents.
    #[serde(default)]
    pub alternates: Vec<Alternate>,
    #[serde(default)]
    pub login: LoginForm,
    #[serde(default)]
    pub sender: SenderRule,
    pub login_hint: Option<Localised>,
    /// The same login for every customer, such as `apikey`.
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
    /// Further search words.
    #[serde(default)]
    pub search: Vec<String>,
}

impl Preset {
    /// Whether `host` is its server, or another one that it documents. A template such as `smtp.{region}.example`
    /// matches every name that fits it.
    pub fn is_at(&self, host: &str) -> bool {
        let fits = |own: &str| match (own.split_once('{'), own.split_once('}')) {
            (Some((before, _)), Some((_, after))) if self.host_is_template => {
                let host = host.to_ascii_lowercase();
                host.len() > before.len() + after.len() && host.starts_with(before) && host.ends_with(after)
            }
            _ => own.eq_ignore_ascii_case(host),
        };
        fits(&self.host) || self.alternates.iter().any(|door| fits(&door.host))
    }

    /// Whether `address` is one of the provider's own.
    pub fn has_address(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).trim();
        self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Its name on a card, and in other lists.
    pub fn card_name(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.name)
    }

    /// Whether the provider no longer accepts any password here.
    pub fn is_closed(&self) -> bool {
        self.status == Status::OauthOnly || self.app_password == AppPassword::Unavailable
    }

    pub fn inner_spaces(&self) -> InnerSpaces {
        if self.cosmetic_spaces { InnerSpaces::Cosmetic } else { InnerSpaces::Significant }
    }
}

/// The way to a secret, drawn as three screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Picture {
    /// Security, 2-step verification, app password.
    TwoStep,
    /// Security, app password, the field here.
    AppPassword,
    /// The customer account, the address, its password.
    Mailbox,
    /// The SMTP settings, a new key, the field here.
    Key,
}

/// How to get a provider's secret, and why its page may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Guide {
    pub secret_name: Localised,
    /// The drawing beside the steps.
    pub picture: Option<Picture>,
    /// In order; `{url}` at the end of a step is replaced by the button that opens the preset's page.
    pub steps: Vec<Localised>,
    #[serde(default)]
    pub missing: Vec<Localised>,
    pub shape: Option<Localised>,
}
