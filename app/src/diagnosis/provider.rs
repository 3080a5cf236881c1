//! Server side. What to do at one provider, where it can be said more precisely than in general: in its own words, with
//! its own page.
//!
//! To add a piece of advice: a table in `data/advice.toml`, `[family.cause]`; a test checks the codes.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::cause::Cause;
use crate::i18n::Localised;

/// What a provider's customer is told instead of the general text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Instead of the general explanation.
    pub what: Option<Localised>,
    /// Instead of the general next step.
    pub next: Localised,
    /// The provider's own page about this.
    pub link: Option<String>,
}

/// The servers of one provider, and what is said about them.
#[derive(Debug, Deserialize)]
struct Family {
    name: String,
    /// Ends of host names.
    hosts: Vec<String>,
    #[serde(flatten)]
    advice: BTreeMap<String, Advice>,
}

static FAMILIES: LazyLock<BTreeMap<String, Family>> = LazyLock::new(families);

#[allow(clippy::expect_used, reason = "the file is a part of the sources, and a test reads it")]
fn families() -> BTreeMap<String, Family> {
    toml::from_str(include_str!("../../data/advice.toml")).expect("the advice of the sources reads")
}

fn family(host: &str) -> Option<&'static Family> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_below =
        |end: &String| host == *end || host.strip_suffix(end.as_str()).is_some_and(|rest| rest.ends_with('.'));
    // The longest end wins: a provider's product may have a table of its own.
    let longest = |family: &&Family| family.hosts.iter().filter(|end| is_below(end)).map(String::len).max();
    FAMILIES.values().filter(|family| longest(family).is_some()).max_by_key(|family| longest(family))
}

/// What is said about a cause at the provider of `host`.
pub fn advice(host: &str, cause: Cause) -> Option<&'static Advice> {
    family(host)?.advice.get(cause.as_str())
}

/// The provider's name, where the catalogue of presets has none.
pub fn name(host: &str) -> Option<&'static str> {
    family(host).map(|family| family.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    #[test]
    fn every_piece_of_advice_is_about_a_cause_and_is_well_written() {
        for (id, family) in &*FAMILIES {
            assert!(!family.hosts.is_empty() && !family.advice.is_empty(), "{id}");
            for (code, advice) in &family.advice {
                assert!(Cause::from_code(code).is_some(), "{id}.{code}");
                for text in [Some(&advice.next), advice.what.as_ref()].into_iter().flatten() {
                    for locale in Locale::ALL {
                        let text = text.get(locale);
                        assert!(
                            text.ends_with(['.', '?', '!', '…', '»', ')']) && !text.contains('\''),
                            "{id}.{code}: {text}"
                        );
                    }
                    let french = text.get(Locale::Fr);
                    for sign in [" :", " ;", " ?", " !", "« ", " »"] {
                        assert!(!french.contains(sign), "{id}.{code}: {french}");
                    }
                }
                assert!(advice.link.as_ref().is_none_or(|link| link.starts_with("https://")), "{id}.{code}");
            }
        }
    }

    #[test]
    fn hosts_are_ends_at_a_dot() {
        assert!(advice("smtp.gmail.com", Cause::AppPasswordRequired).is_some());
        assert!(advice("SMTP.GMAIL.COM.", Cause::AppPasswordRequired).is_some());
        assert!(advice("smtp.notgmail.com", Cause::AppPasswordRequired).is_none());
        assert!(advice("gmail.com.example", Cause::AppPasswordRequired).is_none());
    }
}
