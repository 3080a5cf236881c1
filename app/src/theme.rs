//! Server side. How the pages look like the portal they are in: light or dark, and a closed list of typed variables.
//!
//! A value is taken only if it parses as what it claims to be, and is written again from what was parsed, so nothing of
//! a stranger's text gets into the style. What cannot be read well is made readable: text is moved towards black or
//! white until its contrast holds (WCAG 2.2, 1.4.3 and 1.4.11).
//!
//! To add a variable: a line in `COLOURS` or `Theme::set`, its use in `style/`, a line in `docs/embedding.md`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

mod colour;
#[cfg(test)]
mod tests;

use colour::{BLACK, Colour, WHITE};

/// Light, dark, or as the reader's system is.
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

/// A variable as it is written in a configuration, a token or a message: one value, or one for each scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    One(String),
    Two { light: String, dark: String },
}

/// A theme as it is given: nothing of it is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GivenTheme {
    pub scheme: Option<Scheme>,
    pub variables: BTreeMap<String, Given>,
}

impl GivenTheme {
    /// This theme with a later one over it.
    #[must_use]
    pub fn under(mut self, later: Self) -> Self {
        self.scheme = later.scheme.or(self.scheme);
        self.variables.extend(later.variables);
        self
    }
}

/// The public name of each colour, and its name in the style sheet.
const COLOURS: [(&str, &str); 15] = [
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
    ("success", "good"),
    ("warning", "unsure"),
    ("warning-surface", "unsure-wash"),
    ("danger", "bad"),
    ("danger-surface", "bad-wash"),
];

/// What stands on what, and the contrast it needs: 4.5 for text, 3 for edges that mean something.
const READABLE: [(&str, &[&str], f64); 8] = [
    ("ink", &["paper", "sheet", "sunken", "brand-wash", "unsure-wash", "bad-wash"], 4.5),
    ("quiet", &["paper", "sheet", "sunken", "brand-wash"], 4.5),
    ("brand", &["paper", "sheet", "sunken", "brand-wash"], 4.5),
    ("brand-ink", &["brand"], 4.5),
    ("good", &["paper", "sheet", "brand-wash"], 4.5),
    ("unsure", &["paper", "sheet", "brand-wash", "unsure-wash"], 4.5),
    ("bad", &["paper", "sheet", "brand-wash", "bad-wash"], 4.5),
    ("edge", &["paper", "sheet", "sunken"], 3.0),
];
/// Colours that text stands on.
const GROUNDS: [&str; 6] = ["paper", "sheet", "sunken", "brand-wash", "unsure-wash", "bad-wash"];

/// Pale backgrounds, and the colour that each is a tint of. Setting one of the two is enough.
const TINTS: [(&str, &str); 3] = [("brand-wash", "brand"), ("unsure-wash", "unsure"), ("bad-wash", "bad")];
/// How much of the colour a tint has on a light surface, and on a dark one, in hundredths.
const TINT: [u8; 2] = [11, 16];
/// The same where the colour itself cannot be read on the surface, and has to be moved.
const TINT_MOVED: [u8; 2] = [11, 24];

/// What is the same in both schemes.
const FONTS: [(&str, &str); 2] = [("font", "font"), ("font-mono", "mono")];
/// Families that are not quoted.
const GENERIC: [&str; 6] = ["serif", "sans-serif", "monospace", "system-ui", "ui-sans-serif", "ui-monospace"];

type Colours = BTreeMap<&'static str, Colour>;

/// A theme that was read: safe to be written into a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme {
    scheme: Scheme,
    light: Colours,
    dark: Colours,
    /// Name in the style sheet, value as it is written there.
    others: BTreeMap<&'static str, String>,
}

impl Theme {
    /// Reads what is given, the later over the earlier; the names of what was refused.
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

    /// The declarations for `:root`; empty when nothing differs from the usual look.
    pub fn css(&self) -> String {
        self.declarations().into_iter().map(|(name, value)| format!("{name}:{value};")).collect()
    }

    /// Each variable of the style sheet that differs from the usual look, and its value.
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

    /// A colour of the light scheme as `#rrggbb`, by its public name: for mail, whose readers know no schemes.
    pub fn light(&self, public: &str) -> Option<String> {
        let (_, variable) = COLOURS.iter().find(|(name, _)| *name == public)?;
        readable(&self.light, &USUAL.0).get(variable).map(ToString::to_string)
    }
}

/// Colours that follow from others, where those are given and they are not: tints, and the text on the brand's colour.
fn derive(colours: &mut Colours, wanted: &Colours) {
    let (Some(sheet), Some(brand_ink)) = (colours.get("sheet").copied(), colours.get("brand-ink").copied()) else {
        return;
    };
    let dark = sheet.contrast(WHITE) > sheet.contrast(BLACK);
    let plain: Vec<Colour> =
        ["paper", "sheet", "sunken"].iter().filter_map(|name| colours.get(name)).copied().collect();
    for (tint, base) in TINTS {
        let given = |name| wanted.contains_key(name);
        if given(tint) || !given(base) {
            continue;
        }
        // A colour that could not be told from the surface would give a tint that could not either.
        if let Some(raw) = colours.get(base).copied() {
            let base = moved(raw, &plain, 4.5);
            let share = if raw == base { TINT } else { TINT_MOVED };
            colours.insert(tint, sheet.towards(base, share[usize::from(dark)]));
        }
    }
    if let Some(brand) = wanted.get("brand").filter(|_| !wanted.contains_key("brand-ink") && brand_ink != WHITE) {
        colours.insert("brand-ink", brand.towards(BLACK, 80));
    }
}

/// The usual colours with these over them, text moved until it can be read. Grounds on which no one text could be read
/// are not taken.
fn readable(wanted: &Colours, usual: &Colours) -> Colours {
    let mut colours = usual.clone();
    colours.extend(wanted);
    derive(&mut colours, wanted);
    let serves = |colours: &Colours, text: Colour| {
        GROUNDS.iter().filter_map(|ground| colours.get(ground)).all(|ground| text.contrast(*ground) >= 4.5)
    };
    if !serves(&colours, BLACK) && !serves(&colours, WHITE) {
        for ground in GROUNDS {
            if let Some(colour) = usual.get(ground) {
                colours.insert(ground, *colour);
            }
        }
        // The tints on the usual grounds.
        let taken = wanted.iter().filter(|(name, _)| !GROUNDS.contains(name)).map(|(name, colour)| (*name, *colour));
        derive(&mut colours, &taken.collect());
    }
    for (text, grounds, least) in READABLE {
        let Some(colour) = colours.get(text).copied() else { continue };
        let on: Vec<Colour> = grounds.iter().filter_map(|ground| colours.get(ground)).copied().collect();
        colours.insert(text, moved(colour, &on, least));
    }
    colours
}

/// The colour itself where it can be read, else as few steps as needed towards black or white.
fn moved(colour: Colour, grounds: &[Colour], least: f64) -> Colour {
    let worst = |colour: Colour| grounds.iter().map(|ground| colour.contrast(*ground)).fold(f64::MAX, f64::min);
    let steps = (0..=100).step_by(5);
    let tries = steps.flat_map(|step| [colour.towards(BLACK, step), colour.towards(WHITE, step)]);
    let best = if worst(BLACK) >= worst(WHITE) { BLACK } else { WHITE };
    tries.into_iter().find(|tried| worst(*tried) >= least).unwrap_or(best)
}

/// A length in CSS pixels, within bounds; `14px` or `0.875rem`.
fn length(text: &str, least: f64, most: f64) -> Option<f64> {
    let text = text.trim();
    let (digits, pixels) = match (text.strip_suffix("rem"), text.strip_suffix("px")) {
        (Some(digits), _) => (digits, 16.0),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => return None,
    };
    let plain =
        !digits.is_empty() && digits.len() < 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = digits.parse::<f64>().ok().filter(|_| plain)? * pixels;
    (least..=most).contains(&value).then_some(value)
}

/// Names of font families, each quoted again. Fonts come from the reader's machine: none is loaded.
fn families(text: &str) -> Option<String> {
    let names: Option<Vec<String>> = text.split(',').map(|name| family(name.trim())).collect();
    names.filter(|names| names.len() <= 8).map(|names| names.join(","))
}

fn family(name: &str) -> Option<String> {
    let bare = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(name);
    let bare = bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(bare);
    let plain = (1..=40).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte));
    match (plain, GENERIC.contains(&bare)) {
        (false, _) => None,
        (true, true) => Some(bare.to_owned()),
        (true, false) => Some(format!("\"{bare}\"")),
    }
}

/// The usual colours, as the style sheet has them: light, dark.
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
