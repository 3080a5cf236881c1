//! Characters that a pasted secret picks up, and their removal.
//!
//! Google shows `abcd efgh ijkl mnop`, mail programs add no-break spaces, web pages zero-width ones. The same function
//! runs in the password field and on the server, so it works without WebAssembly.

use serde::Deserialize;

/// Whether spaces inside a secret are significant. The preset decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InnerSpaces {
    /// The provider shows the secret in groups; the spaces are not part of it.
    Cosmetic,
    /// A space may be part of the password.
    Significant,
}

/// A secret without superfluous characters, and how many there were.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned {
    pub value: String,
    /// How many ordinary spaces are superfluous.
    pub spaces: u32,
    /// The number of characters that were probably pasted: no-break and zero-width ones, tabs, line ends.
    pub invisible: u32,
}

impl Cleaned {
    /// How many characters are superfluous in all.
    pub fn removed(&self) -> u32 {
        self.spaces + self.invisible
    }
}

/// Invisible characters that copying adds: soft hyphen, grapheme joiner, fillers, zero-width space and joiners,
/// directional marks, word joiner, blank Braille, variation selectors, byte order mark, tags.
pub const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Finds the superfluous characters in `typed`: all white space if inner spaces are cosmetic; otherwise white space at
/// both ends, and characters that no keyboard types, anywhere.
pub fn clean(typed: &str, inner: InnerSpaces) -> Cleaned {
    let blank = |character: char| character.is_whitespace() || is_invisible(character);
    let start = typed.len() - typed.trim_start_matches(blank).len();
    let end = typed.trim_end_matches(blank).len();
    let mut cleaned = Cleaned { value: String::with_capacity(typed.len()), spaces: 0, invisible: 0 };
    for (position, character) in typed.char_indices() {
        let at_an_end = position < start || position >= end;
        if character == ' ' && (at_an_end || inner == InnerSpaces::Cosmetic) {
            cleaned.spaces += 1;
        } else if character != ' ' && blank(character) {
            cleaned.invisible += 1;
        } else {
            cleaned.value.push(character);
        }
    }
    cleaned
}

/// The form of a provider's application passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretShape {
    /// Unknown.
    #[default]
    Any,
    /// Sixteen letters.
    Letters,
    /// Four groups of four letters, with dashes.
    Groups,
}

impl SecretShape {
    /// Whether the secret has this form; without `finished`, whether it may still get it.
    pub fn fits(self, secret: &str, finished: bool) -> bool {
        let (length, dashes) = match self {
            Self::Any => return true,
            Self::Letters => (16, false),
            Self::Groups => (19, true),
        };
        let mut count = 0;
        for character in secret.chars().filter(|c| !c.is_whitespace()) {
            count += 1;
            let right = if dashes && count % 5 == 0 { character == '-' } else { character.is_ascii_alphabetic() };
            if !right {
                return false;
            }
        }
        count == length || (!finished && count < length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(typed: &str, inner: InnerSpaces) -> (String, u32, u32) {
        let Cleaned { value, spaces, invisible } = clean(typed, inner);
        (value, spaces, invisible)
    }

    #[test]
    fn google_s_groups_are_joined() {
        let joined = ("abcdefghijklmnop".to_owned(), 3, 0);
        assert_eq!(cleaned("abcd efgh ijkl mnop", InnerSpaces::Cosmetic), joined);
        let pasted = "abcd\u{a0}efgh\u{a0}ijkl\u{a0}mnop\u{200b}\r\n";
        assert_eq!(cleaned(pasted, InnerSpaces::Cosmetic), ("abcdefghijklmnop".to_owned(), 0, 6));
    }

    #[test]
    fn elsewhere_a_space_inside_stays() {
        assert_eq!(cleaned("  mon secret\n", InnerSpaces::Significant), ("mon secret".to_owned(), 2, 1));
        assert_eq!(cleaned("mon\u{a0}secret", InnerSpaces::Significant), ("monsecret".to_owned(), 0, 1));
    }

    #[test]
    fn dashes_stay() {
        let icloud = "abcd-efgh-ijkl-mnop";
        assert_eq!(cleaned(icloud, InnerSpaces::Significant), (icloud.to_owned(), 0, 0));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(typed in any::<String>(), cosmetic in any::<bool>()) {
            let inner = if cosmetic { InnerSpaces::Cosmetic } else { InnerSpaces::Significant };
            let once = clean(&typed, inner);
            let twice = clean(&once.value, inner);
            prop_assert_eq!(twice.removed(), 0);
            prop_assert_eq!(&twice.value, &once.value);
            prop_assert_eq!(once.value.chars().count() + once.removed() as usize, typed.chars().count());
        }

        #[test]
        fn visible_characters_are_never_lost(typed in "[!-~éàü€ ]{0,40}") {
            let kept: String = typed.chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(clean(&typed, InnerSpaces::Cosmetic).value, kept);
            prop_assert_eq!(clean(&typed, InnerSpaces::Significant).value, typed.trim_matches(' '));
        }
    }
}
