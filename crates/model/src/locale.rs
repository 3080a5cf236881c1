//! The languages of the product, and texts of data files in each of them.
//!
//! To add one: a variant here, a field of [`Localised`], a catalogue in `app/i18n`; tests find missing parts.

use serde::{Deserialize, Serialize};

/// A supported language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    Fr,
    En,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::Fr, Self::En];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `fr`, `fr-CA` or `en_GB`; `None` if it is not supported.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language))
    }

    /// The first supported language of an `Accept-Language` header. Quality values are ignored: browsers list languages
    /// in order of preference.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        header.split(',').filter_map(|item| item.split(';').next()).find_map(|tag| Self::from_tag(tag.trim()))
    }
}

/// A text of a data file in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Localised {
    pub fr: String,
    pub en: String,
}

impl Localised {
    pub fn get(&self, locale: Locale) -> &str {
        match locale {
            Locale::Fr => &self.fr,
            Locale::En => &self.en,
        }
    }
}
