//! Server side. How the pages look like the portal they are in: light or dark, and a closed list of typed variables.
//!
//! A value is taken only if it parses as what it claims to be, and is written again from what was parsed, so nothing of
//! a stranger's text gets into the style. What cannot be read well is made readable: text is moved towards black or
//! white until its contrast holds (WCAG 2.2, 1.4.3 and 1.4.11).
//!
//! To add a variable: a line in [`COLOURS`] or [`Theme::set`], its use in `style/`, a line in `docs/embedding.md`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

mod colour;

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
}

/// The usual colours with these over them, text moved until it can be read. Grounds on which no one text could be read
/// are not taken.
fn readable(wanted: &Colours, usual: &Colours) -> Colours {
    let mut colours = usual.clone();
    colours.extend(wanted);
    let serves = |colours: &Colours, text: Colour| {
        GROUNDS.iter().filter_map(|ground| colours.get(ground)).all(|ground| text.contrast(*ground) >= 4.5)
    };
    if !serves(&colours, BLACK) && !serves(&colours, WHITE) {
        for ground in GROUNDS {
            if let Some(colour) = usual.get(ground) {
                colours.insert(ground, *colour);
            }
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(variables: &[(&str, &str)]) -> GivenTheme {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Given::One((*value).to_owned())));
        GivenTheme { scheme: None, variables: variables.collect() }
    }

    fn css(variables: &[(&str, &str)]) -> String {
        Theme::read([&given(variables)]).0.css()
    }

    #[test]
    fn the_style_sheet_has_every_colour_and_keeps_its_own_contrast() {
        assert_eq!((USUAL.0.len(), USUAL.1.len()), (COLOURS.len(), COLOURS.len()));
        assert_eq!(Theme::default().css(), "", "the usual look needs no help");
    }

    #[test]
    fn what_parses_is_taken_and_the_rest_is_named() {
        let wanted = given(&[
            ("brand", "#0b57d0"),
            ("radius", "0px"),
            ("font", "Inter, 'Helvetica Neue', sans-serif"),
            ("font-size", "1.125rem"),
            ("spacing", "12px"),
            ("text", "url(//evil)"),
            ("radius2", "0"),
            ("font-mono", "x;}body{display:none"),
            ("a}b{", "#fff"),
        ]);
        let (theme, refused) = Theme::read([&wanted]);
        assert_eq!(refused, ["ab", "font-mono", "radius2", "text"]);
        let css = theme.css();
        for part in [
            "--brand:light-dark(#0b57d0,",
            "--radius:0rem;",
            "--font:\"Inter\",\"Helvetica Neue\",sans-serif;",
            "--size:112.5%;",
            "--gap:0.75rem;",
        ] {
            assert!(css.contains(part), "{part} in {css}");
        }
        for outside in
            [("font-size", "40px"), ("radius", "-1px"), ("spacing", "1em"), ("spacing", "1e1px"), ("font", "")]
        {
            assert_eq!(css_of(outside), "", "{outside:?}");
        }
    }

    fn css_of((name, value): (&str, &str)) -> String {
        css(&[(name, value)])
    }

    #[test]
    fn text_is_kept_readable() {
        // A pale brand on white paper is darkened; on dark paper it may stay.
        let pale = css(&[("brand", "#ffe000")]);
        let light = Colour::parse(&pale["--brand:light-dark(".len()..][..7]).unwrap();
        assert!(light.contrast(WHITE) >= 4.5 && light != Colour::parse("#ffe000").unwrap(), "{pale}");
        assert!(pale.contains(",#ffe000)"), "{pale}");
        // White text on white paper.
        let invisible = css(&[("text", "#fff"), ("background", "#fff"), ("surface", "#fff")]);
        assert!(!invisible.contains("--ink:light-dark(#ffffff"), "{invisible}");
        // Grounds that no text fits are not taken.
        let torn = css(&[("background", "#000"), ("surface", "#fff")]);
        assert!(!torn.contains("--paper") && !torn.contains("--sheet"), "{torn}");
    }

    #[test]
    fn each_scheme_may_have_its_own_value_and_the_later_theme_wins() {
        let two = Given::Two { light: "#0b57d0".to_owned(), dark: "#a8c7fa".to_owned() };
        let first = GivenTheme { scheme: Some(Scheme::Dark), variables: [("brand".to_owned(), two)].into() };
        let second = given(&[("radius", "4px")]);
        let (theme, refused) = Theme::read([&first, &second]);
        assert!(refused.is_empty() && theme.scheme() == Scheme::Dark);
        assert!(theme.css().contains("--brand:light-dark(#0b57d0,#a8c7fa);--"), "{}", theme.css());
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_the_style(name in prop::sample::select(vec!["brand", "text", "background", "font", "font-mono", "radius", "font-size", "spacing"]), value in "\\PC{0,40}") {
            let css = css(&[(name, &value)]);
            let harmless = css.chars().all(|c| c.is_ascii_alphanumeric() || "-:;(),#%. \"_".contains(c));
            prop_assert!(harmless, "{}", css);
            prop_assert!(!css.contains("url") && !css.contains("//"), "{}", css);
        }

        #[test]
        fn whatever_the_colours_text_can_be_read(colours in prop::collection::vec(any::<[u8; 3]>(), 15)) {
            let wanted: Colours = COLOURS.iter().zip(&colours).map(|((_, variable), [r, g, b])| (*variable, Colour::parse(&format!("rgb({r},{g},{b})")).unwrap())).collect();
            let colours = readable(&wanted, &USUAL.0);
            for (text, grounds, least) in READABLE {
                for ground in grounds {
                    let contrast = colours[text].contrast(colours[ground]);
                    prop_assert!(contrast >= least - 0.001, "{text} on {ground}: {contrast}");
                }
            }
        }
    }
}
