//! Valid values, invalid values, and readable text.

use proptest::prelude::*;

use super::{colour::WHITE, contrast::READABLE, *};

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
    for outside in [("font-size", "40px"), ("radius", "-1px"), ("spacing", "1em"), ("spacing", "1e1px"), ("font", "")] {
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
    // Backgrounds on which no text is readable are ignored.
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

#[test]
fn what_is_no_value_replaces_none() {
    let former = given(&[("brand", "#0b57d0"), ("radius", "4px"), ("font", "Inter")]);
    let invalid =
        given(&[("brand", "red"), ("radius", "99px"), ("font", "x;}"), ("nothing", "#fff"), ("text", "#222")]);
    let half = Given::Two { light: "#fff".to_owned(), dark: "none".to_owned() };
    let torn = GivenTheme { scheme: Some(Scheme::Dark), variables: [("brand".to_owned(), half)].into() };
    let mut expected = former.clone();
    expected.variables.extend(given(&[("text", "#222")]).variables);
    let now = former.under(invalid);
    assert_eq!(now, expected);
    let now = now.under(torn);
    assert_eq!((now.scheme, now.variables), (Some(Scheme::Dark), expected.variables));
}

/// The value of a variable: light, dark.
fn pair(css: &str, variable: &str) -> (Colour, Colour) {
    let (_, rest) =
        css.split_once(&format!("--{variable}:light-dark(")).unwrap_or_else(|| panic!("{variable} in {css}"));
    let (light, dark) = rest.split_once(')').unwrap().0.split_once(',').unwrap();
    (Colour::parse(light).unwrap(), Colour::parse(dark).unwrap())
}

/// Which of red, green and blue is the strongest.
fn strongest(colour: Colour) -> usize {
    let text = colour.to_string();
    (0..3).max_by_key(|at| u8::from_str_radix(&text[1 + 2 * at..3 + 2 * at], 16).unwrap()).unwrap()
}

#[test]
fn what_depends_on_a_colour_follows_it() {
    for (brand, channel) in [("#0b57d0", 2), ("#b3261e", 0), ("#7a0019", 0), ("#00f", 2)] {
        let css = css(&[("brand", brand)]);
        let (light, dark) = pair(&css, "brand-wash");
        assert_eq!((strongest(light), strongest(dark)), (channel, channel), "{brand}: {css}");
        let (sheet_light, sheet_dark) = (USUAL.0["sheet"], USUAL.1["sheet"]);
        assert!(light.contrast(sheet_light) > 1.05 && dark.contrast(sheet_dark) > 1.05, "{brand}: {css}");
    }
    // Given values stay unchanged; others are ignored.
    assert!(!css(&[("surface", "#fff8f0")]).contains("wash"));
    let own = css(&[("brand", "#0b57d0"), ("brand-surface", "#eeeeff")]);
    assert_eq!(pair(&own, "brand-wash").0, Colour::parse("#eeeeff").unwrap());
    assert_eq!(strongest(pair(&css(&[("danger", "#a00040")]), "bad-wash").0), 0);
    // A brand in the surface's own colour still shows the selection.
    let white = css(&[("brand", "#fff")]);
    assert!(pair(&white, "brand-wash").0.contrast(WHITE) > 1.05, "{white}");
    // Ignored backgrounds give no tint.
    let torn = css(&[("background", "#000"), ("surface", "#fff"), ("brand", "#0b57d0")]);
    assert_eq!(strongest(pair(&torn, "brand-wash").1), 2, "{torn}");
}

#[test]
fn mail_takes_the_colours_of_the_light_scheme() {
    let two = Given::Two { light: "#8a3b12".to_owned(), dark: "#f0a67a".to_owned() };
    let theme = GivenTheme { scheme: Some(Scheme::Dark), variables: [("brand".to_owned(), two)].into() };
    assert_eq!(Theme::read([&theme]).0.light("brand").as_deref(), Some("#8a3b12"));
    assert_eq!(Theme::default().light("surface").as_deref(), Some("#ffffff"));
    assert_eq!(Theme::default().light("radius"), None);
}

proptest! {
    #[test]
    fn nothing_breaks_out_of_the_style(
        name in prop::sample::select(vec!["brand", "text", "background", "font", "font-mono", "radius", "font-size", "spacing"]),
        value in "\\PC{0,40}",
    ) {
        let css = css(&[(name, &value)]);
        let harmless = css.chars().all(|c| c.is_ascii_alphanumeric() || "-:;(),#%. \"_".contains(c));
        prop_assert!(harmless, "{}", css);
        prop_assert!(!css.contains("url") && !css.contains("//"), "{}", css);
    }

    #[test]
    fn whatever_the_one_colour_text_can_be_read(at in 0_usize..COLOURS.len(), [r, g, b] in any::<[u8; 3]>(), dark in any::<bool>()) {
        let usual = if dark { &USUAL.1 } else { &USUAL.0 };
        let wanted = [(COLOURS[at].1, Colour::parse(&format!("rgb({r},{g},{b})")).unwrap())].into();
        let colours = readable(&wanted, usual);
        for (text, grounds, least) in READABLE {
            for ground in grounds {
                let contrast = colours[text].contrast(colours[ground]);
                prop_assert!(contrast >= least - 0.001, "{text} on {ground}: {contrast}");
            }
        }
    }

    #[test]
    fn whatever_the_colours_text_can_be_read(colours in prop::collection::vec(any::<[u8; 3]>(), 15)) {
        let colour = |[r, g, b]: &[u8; 3]| Colour::parse(&format!("rgb({r},{g},{b})")).unwrap();
        let wanted: Colours = COLOURS.iter().zip(&colours).map(|((_, variable), rgb)| (*variable, colour(rgb))).collect();
        let colours = readable(&wanted, &USUAL.0);
        for (text, grounds, least) in READABLE {
            for ground in grounds {
                let contrast = colours[text].contrast(colours[ground]);
                prop_assert!(contrast >= least - 0.001, "{text} on {ground}: {contrast}");
            }
        }
    }
}
