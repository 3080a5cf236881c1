//! The table of providers: names, servers, exchangers, presets, guides, advice and limits, one file for each provider
//! in `data/providers`. This module is the only place that decides which provider runs a host.
//!
//! To add a provider: a file there, and nothing else. docs/presets.md explains each line; tests read every file.

use std::{collections::BTreeMap, sync::LazyLock};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::{cause::Cause, locale::Localised};

mod catalogue;
mod preset;
#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, CatalogueError};
pub use preset::{Alternate, AppPassword, Guide, LoginForm, Picture, Preset, SenderRule, Status};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/providers");

/// A company that runs mail servers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name of its file.
    #[serde(skip)]
    pub id: String,
    /// The name shown to people.
    pub name: String,
    /// Shown on the cards of its presets.
    pub mark: Mark,
    /// Suffixes of its servers' names, cut at a dot: `free.fr` matches `smtp.free.fr`, not `pointfree.fr`.
    pub hosts: Vec<String>,
    /// Words that identify its servers' replies under any host name.
    #[serde(default)]
    pub signatures: Vec<String>,
    /// The mail exchangers of its customers' domains.
    #[serde(default, rename = "mx")]
    pub exchangers: Vec<Exchanger>,
    #[serde(default, rename = "preset")]
    pub presets: Vec<Preset>,
    /// How its customers get the secret, under the names that the presets use.
    #[serde(default, rename = "guide")]
    pub guides: BTreeMap<String, Guide>,
    /// Advice for its customers instead of the general text, by the cause's code.
    #[serde(default)]
    pub advice: BTreeMap<String, Advice>,
    /// Some of its servers, with separate advice.
    #[serde(default, rename = "service")]
    pub services: BTreeMap<String, Service>,
}

/// A monogram in white on the provider's colour.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// At most three characters.
    pub text: String,
    /// `#rrggbb`, dark enough for white text.
    pub colour: String,
}

/// Some of a provider's servers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    /// Suffixes of its servers' names, cut at a dot.
    pub hosts: Vec<String>,
    #[serde(default)]
    pub advice: BTreeMap<String, Advice>,
}

/// A mail exchanger (RFC 5321 §5) by which a domain's provider is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchanger {
    /// Suffix of its name, cut at a dot.
    pub suffix: String,
    /// The preset with which its customers send.
    pub preset: String,
    pub kind: ExchangerKind,
    pub confidence: Confidence,
    /// The source of this information.
    pub source: Option<String>,
    pub note: Option<String>,
}

/// What kind of service an exchanger belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangerKind {
    /// Mailboxes, whose owners send through the same provider.
    Mailbox,
    /// A program receives mail there; its customers do not send.
    InboundApi,
    /// It forwards to mailboxes elsewhere.
    Forwarder,
    /// Several products share it.
    Ambiguous,
}

/// How certain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Advice for a provider's customers instead of the general text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Replaces the general explanation.
    pub what: Option<Localised>,
    /// Replaces the general next step.
    pub next: Localised,
    /// The provider's own page on the subject.
    pub link: Option<String>,
}

impl Provider {
    /// Whether the provider runs this server.
    pub fn runs(&self, host: &str) -> bool {
        self.hosts.iter().any(|end| is_under(host, end))
    }
}

static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(read);

/// Reads the files in the order of their names.
#[expect(clippy::expect_used, reason = "the files are compiled in, and a test reads them")]
fn read() -> Vec<Provider> {
    let mut files: Vec<_> = FILES.files().collect();
    files.sort_by_key(|file| file.path());
    let provider = |file: &include_dir::File<'_>| {
        let text = file.contents_utf8().expect("a provider's file is text");
        let read: Provider = toml::from_str(text).expect("the built-in providers are valid");
        let id = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        Provider { id, ..read }
    };
    files.into_iter().map(provider).collect()
}

/// Every provider, by its id.
pub fn all() -> &'static [Provider] {
    &PROVIDERS
}

/// The provider with this id.
pub fn get(id: &str) -> Option<&'static Provider> {
    all().iter().find(|provider| provider.id == id)
}

/// The name of the provider whose preset this is.
pub fn name_of_preset(preset: &Preset) -> &str {
    let of = all().iter().find(|provider| provider.presets.iter().any(|own| own.id == preset.id));
    of.map_or(preset.card_name(), |provider| provider.name.as_str())
}

/// Whether `host` is `end` or a name below it. A final dot and the case are ignored.
pub fn is_under(host: &str, end: &str) -> bool {
    let host = host.trim_end_matches('.');
    let start = host.len().checked_sub(end.len());
    start.is_some_and(|start| {
        host.is_char_boundary(start)
            && host[start..].eq_ignore_ascii_case(end)
            && (start == 0 || host[..start].ends_with('.'))
    })
}

/// The provider of a host: the longest suffix wins, because a product may have separate advice.
fn customer_of(host: &str) -> Option<(&'static str, &'static BTreeMap<String, Advice>)> {
    let of_provider = all().iter().map(|provider| (&provider.hosts, provider.name.as_str(), &provider.advice));
    let services = all().iter().flat_map(|provider| provider.services.values());
    let of_service = services.map(|service| (&service.hosts, service.name.as_str(), &service.advice));
    of_provider
        .chain(of_service)
        .filter_map(|(hosts, name, advice)| {
            let longest = hosts.iter().filter(|end| is_under(host, end)).map(String::len).max()?;
            Some((longest, (name, advice)))
        })
        .max_by_key(|(longest, _)| *longest)
        .map(|(_, found)| found)
}

/// The advice for a cause, from the provider that runs `host`.
pub fn advice(host: &str, cause: Cause) -> Option<&'static Advice> {
    customer_of(host)?.1.get(cause.as_str())
}

/// The display name of the provider that runs `host`.
pub fn name(host: &str) -> Option<&'static str> {
    customer_of(host).map(|(name, _)| name)
}
