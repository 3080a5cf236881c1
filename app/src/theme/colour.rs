//! Server side. Colours: their parser, and the contrast of two (WCAG 2.2, relative luminance).

use std::fmt;

/// An opaque colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

pub const BLACK: Colour = Colour([0, 0, 0]);
pub const WHITE: Colour = Colour([255, 255, 255]);

impl Colour {
    /// Parses `#rgb`, `#rrggbb`, `rgb(r, g, b)` or `hsl(h, s%, l%)`, with commas or spaces. No names, no transparency,
    /// no other functions.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(digits) = text.strip_prefix('#') {
            return hexadecimal(digits);
        }
        let (function, rest) = text.split_once('(')?;
        let inside = rest.strip_suffix(')')?;
        let parts: Vec<&str> = inside.split([',', ' ']).filter(|part| !part.is_empty()).collect();
        let [a, b, c] = parts[..] else { return None };
        match function {
            "rgb" => Some(Self([whole(a)?, whole(b)?, whole(c)?])),
            "hsl" => Some(from_hsl(number(a.strip_suffix("deg").unwrap_or(a), 360.0)?, percent(b)?, percent(c)?)),
            _ => None,
        }
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The contrast: from 1 (equal) to 21 (black and white).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Mixes in this many hundredths of another colour.
    pub fn towards(self, other: Self, hundredths: u8) -> Self {
        let share = i32::from(hundredths.min(100));
        let mix = |from: u8, to: u8| {
            let mixed = i32::from(from) + (i32::from(to) - i32::from(from)) * share / 100;
            u8::try_from(mixed).unwrap_or(from)
        };
        let (from, to) = (self.0, other.0);
        Self([mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])])
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(formatter, "#{r:02x}{g:02x}{b:02x}")
    }
}

fn hexadecimal(digits: &str) -> Option<Colour> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let wide: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let channel = |at: usize| u8::from_str_radix(wide.get(at..at + 2)?, 16).ok();
    Some(Colour([channel(0)?, channel(2)?, channel(4)?]))
}

fn whole(text: &str) -> Option<u8> {
    (text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn number(text: &str, most: f64) -> Option<f64> {
    let plain = !text.is_empty() && text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse::<f64>().ok().filter(|value| plain && (0.0..=most).contains(value))
}

fn percent(text: &str) -> Option<f64> {
    number(text.strip_suffix('%')?, 100.0).map(|value| value / 100.0)
}

/// CSS Color Module Level 4, §7.1.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is between 0 and 255")]
fn from_hsl(hue: f64, saturation: f64, lightness: f64) -> Colour {
    let channel = |n: f64| {
        let k = (n + hue / 30.0) % 12.0;
        let a = saturation * lightness.min(1.0 - lightness);
        let value = lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (value * 255.0).round() as u8
    };
    Colour([channel(0.0), channel(8.0), channel(4.0)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_are_parsed() {
        for (text, shown) in [
            ("#17624f", "#17624f"),
            (" #ABC ", "#aabbcc"),
            ("rgb(23, 98, 79)", "#17624f"),
            ("rgb(23 98 79)", "#17624f"),
            ("hsl(0, 100%, 50%)", "#ff0000"),
            ("hsl(120deg 100% 25%)", "#008000"),
            ("hsl(0 0% 100%)", "#ffffff"),
        ] {
            assert_eq!(Colour::parse(text).map(|colour| colour.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in [
            "",
            "red",
            "#12",
            "#12345",
            "#1234567",
            "#xyzxyz",
            "rgb(1,2)",
            "rgb(256,0,0)",
            "rgb(-1,0,0)",
            "rgb(1,2,3,4)",
            "hsl(0,0,0)",
            "url(//evil)",
            "var(--x)",
            "#fff;}",
            "#fff/**/",
            "expression(1)",
            "rgba(0,0,0,.5)",
            "hsl(1e3 0% 0%)",
        ] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_follows_wcag() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 0.01);
        assert!((Colour::parse("#777").unwrap().contrast(WHITE) - 4.48).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_six_digits(text in "\\PC{0,24}") {
            if let Some(colour) = Colour::parse(&text) {
                let written = colour.to_string();
                prop_assert_eq!(Colour::parse(&written), Some(colour));
                prop_assert!(written.len() == 7 && written[1..].bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
        }
    }
}
