//! Server side. The reader's language, and every text of the product.
//!
//! Texts are Project Fluent messages in `i18n/<language>/*.ftl`, compiled in. Islands read theirs from `data-…`
//! attributes, so no catalogue is in the WebAssembly.
//!
//! To add a text: the same key in both languages, then `t!("the-key")`; a test compares the catalogues with each
//! other and with the sources. To add a language: a folder, a variant of [`Locale`], a line in `catalogue`.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use jiff::{Timestamp, Zoned, tz::TimeZone};
pub use model::locale::{Locale, Localised};
use unic_langid::{LanguageIdentifier, langid};

use crate::session::visit;

#[cfg(test)]
mod tests;

macro_rules! catalogue {
    ($language:literal) => {
        [
            include_str!(concat!("../i18n/", $language, "/common.ftl")),
            include_str!(concat!("../i18n/", $language, "/sending-mode.ftl")),
            include_str!(concat!("../i18n/", $language, "/profiles.ftl")),
            include_str!(concat!("../i18n/", $language, "/form.ftl")),
            include_str!(concat!("../i18n/", $language, "/sign-in.ftl")),
            include_str!(concat!("../i18n/", $language, "/test.ftl")),
            include_str!(concat!("../i18n/", $language, "/causes.ftl")),
            include_str!(concat!("../i18n/", $language, "/fixes.ftl")),
        ]
    };
}

const FRENCH: [&str; 8] = catalogue!("fr");
const ENGLISH: [&str; 8] = catalogue!("en");

/// Appended to a number that must not be grouped by thousands, so that Fluent takes it for text. Removed from the
/// output.
pub const DIGITS: char = '\u{2060}';

type Bundle = FluentBundle<FluentResource>;

static FRENCH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("fr"), &FRENCH));
static ENGLISH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("en"), &ENGLISH));

/// Parses a catalogue. An invalid message does not affect the others; the tests refuse invalid and duplicate messages.
fn bundle(language: LanguageIdentifier, files: &[&str]) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // No direction marks: texts also go into attributes and e-mails.
    bundle.set_use_isolating(false);
    for file in files {
        let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The date as people write it: "27 novembre 2026".
pub fn date(locale: Locale, at: &Zoned) -> String {
    let part = |format: &str| at.strftime(format).to_string();
    locale.text("date", &[("day", part("%-d")), ("month", part("%-m")), ("year", format!("{}{DIGITS}", part("%Y")))])
}

/// [`date`] of an RFC 3339 instant, in UTC; the instant itself when it cannot be parsed.
pub fn date_of(locale: Locale, instant: &str) -> String {
    instant.parse().map_or_else(|_| instant.to_owned(), |at: Timestamp| date(locale, &in_utc(at)))
}

/// The date and the time: "27 novembre 2026 à 15:20". `time` is a `strftime` format such as `%H:%M`.
pub fn date_time(locale: Locale, at: &Zoned, time: &str) -> String {
    locale.text("date-time", &[("date", date(locale, at)), ("time", at.strftime(time).to_string())])
}

pub fn in_utc(at: Timestamp) -> Zoned {
    at.to_zoned(TimeZone::UTC)
}

/// The language of the request being answered; French outside one.
pub fn current() -> Locale {
    visit().locale()
}

/// The texts of a language.
pub trait Texts {
    /// The text of `key`; the key itself if it is missing. A number that is a name, such as a port, ends in [`DIGITS`].
    fn text(self, key: &str, arguments: &[(&str, String)]) -> String;
}

impl Texts for Locale {
    fn text(self, key: &str, arguments: &[(&str, String)]) -> String {
        let bundle: &Bundle = match self {
            Self::Fr => &FRENCH_BUNDLE,
            Self::En => &ENGLISH_BUNDLE,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, "text missing");
            return key.to_owned();
        };
        let mut values = FluentArgs::new();
        for (name, value) in arguments {
            // A number keeps its plural form; everything else is text.
            match value.parse::<u32>() {
                Ok(number) => values.set(*name, number),
                Err(_) => values.set(*name, value.as_str()),
            }
        }
        let text = bundle.format_pattern(pattern, Some(&values), &mut Vec::new());
        text.replace(DIGITS, "")
    }
}

/// The text of a key in the language of the request: `t!("list-title")`, `t!("delete-title", name = profile.label())`.
#[macro_export]
macro_rules! t {
    ($key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::i18n::Texts::text($crate::i18n::current(), $key, &[$((stringify!($name), ($value).to_string())),*])
    };
}
