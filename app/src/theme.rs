//! Server side. The portal's theme: the colour scheme, and a closed list of typed variables.
//!
//! A value must parse as its type, and the style sheet gets the parsed value, never the input text. Text whose contrast
//! is too low is moved towards black or white until it is sufficient (WCAG 2.2, 1.4.3 and 1.4.11).
//!
//! To add a variable: a line in `COLOURS` or `Theme::set`, its use in `style/`, a line in `docs/embedding.md`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

mod colour;
mod contrast;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod tests;
mod values;

use colour::Colour;
use contrast::readable;
use values::{families, length};

/// Light, dark, or the system's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    #[default]
    System,
    Light,
    Dark,
}

impl Scheme {
    /// The value of `data-theme` on the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|scheme| scheme.as_str() == code)
    }
}

/// A variable's raw value, from a configuration, a token or a message: one value, or one for each scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    One(String),
    Two { light: String, dark: String },
}

/// A raw theme. Untrusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GivenTheme {
    pub scheme: Option<Scheme>,
    pub variables: BTreeMap<String, Given>,
}

impl GivenTheme {
    /// This theme, overridden by the valid values of a later one.
    #[must_use]
    pub fn under(mut self, later: Self) -> Self {
        self.scheme = later.scheme.or(self.scheme);
        let reads = |(name, value): &(String, Given)| Theme::default().set(name, value).is_some();
        self.variables.extend(later.variables.into_iter().filter(reads));
        self
    }
}

/// The public name of each colour, and its name in the style sheet.
const COLOURS: [(&str, &str); 17] = [
    ("background", "paper"),
    ("surface", "sheet"),
    ("surface-sunken", "sunken"),
    ("text", "ink"),
    ("text-muted", "quiet"),
    ("line", "line"),
    ("edge", "edge"),
    ("brand", "brand"),
    ("brand-text", "brand-ink"),
    ("brand-surface", "brand-wash"),
    ("focus", "focus"),
    ("success", "good"),
    ("success-surface", "good-wash"),
    ("warning", "unsure"),
    ("warning-surface", "unsure-wash"),
    ("danger", "bad"),
    ("danger-surface", "bad-wash"),
];

/// The font variables; the same in both schemes.
const FONTS: [(&str, &str); 2] = [("font", "font"), ("font-mono", "mono")];
type Colours = BTreeMap<&'static str, Colour>;

/// A parsed theme, safe to write into a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme {
    scheme: Scheme,
    light: Colours,
    dark: Colours,
    /// CSS name and CSS value of the other variables.
    others: BTreeMap<&'static str, String>,
}

impl Theme {
    /// Parses raw themes; later ones override earlier ones. Also returns the names of the refused variables.
    pub fn read<'a>(given: impl IntoIterator<Item = &'a GivenTheme>) -> (Self, Vec<String>) {
        let (mut theme, mut refused) = (Self::default(), Vec::new());
        for GivenTheme { scheme, variables } in given {
            theme.scheme = scheme.unwrap_or(theme.scheme);
            for (name, value) in variables {
                if theme.set(name, value).is_none() {
                    refused.push(name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect());
                }
            }
        }
        (theme, refused)
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    fn set(&mut self, name: &str, value: &Given) -> Option<()> {
        if let Some((_, variable)) = COLOURS.iter().find(|(public, _)| *public == name) {
            let (light, dark) = match value {
                Given::One(one) => (one, one),
                Given::Two { light, dark } => (light, dark),
            };
            let (light, dark) = (Colour::parse(light)?, Colour::parse(dark)?);
            self.light.insert(variable, light);
            self.dark.insert(variable, dark);
            return Some(());
        }
        let Given::One(value) = value else { return None };
        let (variable, written) = match name {
            "font-size" => ("size", length(value, 12.0, 24.0).map(|px| format!("{}%", px / 16.0 * 100.0))?),
            "radius" => ("radius", length(value, 0.0, 24.0).map(|px| format!("{}rem", px / 16.0))?),
            "spacing" => ("gap", length(value, 8.0, 32.0).map(|px| format!("{}rem", px / 16.0))?),
            _ => (FONTS.iter().find(|(public, _)| *public == name)?.1, families(value)?),
        };
        self.others.insert(variable, written);
        Some(())
    }

    /// The declarations for `:root`; empty for the default look.
    pub fn css(&self) -> String {
        self.declarations().into_iter().map(|(name, value)| format!("{name}:{value};")).collect()
    }

    /// Each CSS variable that differs from the default, and its value.
    pub fn declarations(&self) -> Vec<(String, String)> {
        let (usual_light, usual_dark) = &*USUAL;
        let (light, dark) = (readable(&self.light, usual_light), readable(&self.dark, usual_dark));
        let mut declarations = Vec::new();
        for (_, variable) in COLOURS {
            let (Some(light), Some(dark)) = (light.get(variable), dark.get(variable)) else { continue };
            if usual_light.get(variable) != Some(light) || usual_dark.get(variable) != Some(dark) {
                declarations.push((format!("--{variable}"), format!("light-dark({light},{dark})")));
            }
        }
        for (variable, value) in &self.others {
            declarations.push((format!("--{variable}"), value.clone()));
        }
        declarations
    }

    /// A colour of the light scheme as `#rrggbb`, by its public name: e-mail has one scheme.
    pub fn light(&self, public: &str) -> Option<String> {
        let (_, variable) = COLOURS.iter().find(|(name, _)| *name == public)?;
        readable(&self.light, &USUAL.0).get(variable).map(ToString::to_string)
    }
}

/// The default colours of the style sheet: light, dark.
static USUAL: LazyLock<(Colours, Colours)> = LazyLock::new(|| {
    let (mut light, mut dark) = (Colours::new(), Colours::new());
    for line in include_str!("../../style/tokens.css").lines() {
        let Some((name, value)) = line.trim().trim_end_matches(';').split_once(": light-dark(") else { continue };
        let pair = value.strip_suffix(')').and_then(|value| value.split_once(", "));
        let known = COLOURS.iter().find(|(_, variable)| name.strip_prefix("--") == Some(variable));
        if let (Some((one, other)), Some((_, variable))) = (pair, known)
            && let (Some(one), Some(other)) = (Colour::parse(one), Colour::parse(other))
        {
            light.insert(variable, one);
            dark.insert(variable, other);
        }
    }
    (light, dark)
});
