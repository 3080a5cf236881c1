//! Server side. Sufficient contrast: derived colours, and colours moved until text on them is readable.

use super::{
    Colours,
    colour::{BLACK, Colour, WHITE},
};

/// Each foreground, its backgrounds, and the contrast it needs: 4.5 for text, 3 for edges that carry meaning.
pub(super) const READABLE: [(&str, &[&str], f64); 9] = [
    ("ink", &GROUNDS, 4.5),
    ("quiet", &["paper", "sheet", "sunken", "brand-wash"], 4.5),
    ("brand", &["paper", "sheet", "sunken", "brand-wash", "good-wash", "unsure-wash", "bad-wash"], 4.5),
    ("brand-ink", &["brand"], 4.5),
    ("focus", &GROUNDS, 3.0),
    ("good", &["paper", "sheet", "sunken", "brand-wash", "good-wash"], 4.5),
    ("unsure", &["paper", "sheet", "sunken", "brand-wash", "unsure-wash"], 4.5),
    ("bad", &["paper", "sheet", "sunken", "brand-wash", "bad-wash"], 4.5),
    ("edge", &["paper", "sheet", "sunken"], 3.0),
];
/// The backgrounds of text.
const GROUNDS: [&str; 7] = ["paper", "sheet", "sunken", "brand-wash", "good-wash", "unsure-wash", "bad-wash"];

/// Pale backgrounds, and the colour that each is a tint of. A theme may set either.
const TINTS: [(&str, &str); 4] =
    [("brand-wash", "brand"), ("good-wash", "good"), ("unsure-wash", "unsure"), ("bad-wash", "bad")];
/// The share of the colour in a tint, in hundredths: on a light surface, on a dark one.
const TINT: [u8; 2] = [11, 16];
/// The same where the colour is not readable on the surface and was moved.
const TINT_MOVED: [u8; 2] = [11, 24];

/// Derives colours that are not set from those that are: tints, and the text on the brand's colour.
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
        // A colour too close to the surface would give a tint too close to it.
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

/// The default colours, overridden by these, with text moved until it is readable. Backgrounds on which no single text
/// colour is readable are ignored.
pub(super) fn readable(wanted: &Colours, usual: &Colours) -> Colours {
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
        // Tints for the default backgrounds.
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

/// The colour itself if it is readable, otherwise moved as little as needed towards black or white.
fn moved(colour: Colour, grounds: &[Colour], least: f64) -> Colour {
    let worst = |colour: Colour| grounds.iter().map(|ground| colour.contrast(*ground)).fold(f64::MAX, f64::min);
    let steps = (0..=100).step_by(5);
    let tries = steps.flat_map(|step| [colour.towards(BLACK, step), colour.towards(WHITE, step)]);
    let best = if worst(BLACK) >= worst(WHITE) { BLACK } else { WHITE };
    tries.into_iter().find(|tried| worst(*tried) >= least).unwrap_or(best)
}
