//! Server side. A cause in words, for `facteur explain` and `facteur probe`.

use app::{
    diagnosis::cause::Cause,
    i18n::{Locale, Texts},
    profile::preset::{Catalogue, Preset},
    test_run::event::Stage,
};
use model::provider;

/// A cause in words, depending on stage and host.
pub struct Explanation<'a> {
    pub cause: Cause,
    stage: Stage,
    host: &'a str,
    preset: Option<&'a Preset>,
}

impl<'a> Explanation<'a> {
    pub fn new(presets: &'a Catalogue, cause: Cause, stage: Stage, host: &'a str) -> Self {
        Self { cause, stage, host, preset: presets.by_host(host) }
    }

    pub fn title(&self, locale: Locale) -> String {
        self.part(locale, &["title"])
    }

    /// What happened, and what to do: in the provider's own words if there are any.
    pub fn advice(&self, locale: Locale) -> String {
        let own = provider::advice(self.host, self.cause);
        let what = own.and_then(|own| own.what.as_ref()).map(|text| text.get(locale).to_owned());
        let next = own.map(|own| own.next.get(locale).to_owned());
        let what = what.unwrap_or_else(|| self.part(locale, &["what"]));
        let next = next.unwrap_or_else(|| self.part(locale, &["next"]));
        format!("{what} {next}")
    }

    /// The provider's own page.
    pub fn link(&self) -> Option<&str> {
        if let Some(own) = provider::advice(self.host, self.cause).and_then(|own| own.link.as_deref()) {
            return Some(own);
        }
        let preset = self.preset?;
        let own = match self.cause {
            Cause::AppPasswordRequired | Cause::BadCredentials => preset.app_password_url.as_deref(),
            _ => None,
        };
        own.or(preset.help_url.as_deref())
    }

    fn part(&self, locale: Locale, parts: &[&str]) -> String {
        let code = self.cause.as_str().replace('_', "-");
        let named = self.preset.map(|preset| preset.name.as_str()).or_else(|| provider::name(self.host));
        let provider = named.unwrap_or(self.host);
        let arguments = arguments(locale, self.stage, self.host, provider);
        let texts = parts.iter().map(|part| sentence(&locale.text(&format!("cause-{code}-{part}"), &arguments)));
        texts.collect::<Vec<_>>().join(" ")
    }
}

/// With a capital at its start, since a text may begin with a general term. A host's name stays as it is.
fn sentence(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains('.')) {
        return text.to_owned();
    }
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The variables of the texts; those that only a profile would know get a general term.
fn arguments(locale: Locale, stage: Stage, host: &str, provider: &str) -> Vec<(&'static str, String)> {
    let general = |key: &str| locale.text(key, &[]);
    let named = |name: &str, otherwise| if name.is_empty() { general(otherwise) } else { name.to_owned() };
    vec![
        ("host", named(host, "explain-server")),
        ("provider", named(provider, "explain-provider")),
        ("port", general("explain-port")),
        ("login", general("explain-login")),
        ("sender", general("explain-sender")),
        ("recipient", general("explain-recipient")),
        ("stage", locale.text(&format!("stage-{}", stage.as_str().replace('_', "-")), &[])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_as_they_should() {
        assert_eq!(sentence("ce serveur refuse."), "Ce serveur refuse.");
        assert_eq!(sentence("smtp.exemple.fr refuse."), "smtp.exemple.fr refuse.");
        assert_eq!(sentence(""), "");
    }
}
