//! Words of base64 that contain the secret in another encoding.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{Found, Line, Redactor, disguises::RUN, views};
use crate::shown::visible;

/// The shortest word of base64 that may contain a secret in another encoding.
const LEAST_INSIDE: usize = 16;

impl Redactor {
    /// Covers words of base64 that contain the secret in another encoding: a challenge is JSON in base64, and JSON has
    /// escapes of its own.
    pub(super) fn look_inside(&self, line: &Line, found: &mut [Found]) {
        let in_word = |c: &char| c.is_ascii_alphanumeric() || "+/-_".contains(*c);
        let mut at = 0;
        for word in line.characters.split(|c| !in_word(c)) {
            let range = at..at + word.len();
            at = range.end + 1;
            if word.len() >= LEAST_INSIDE && found[range.clone()].contains(&Found::Nothing) && self.is_inside(word) {
                found[range].fill(Found::Encoded);
            }
        }
    }

    fn is_inside(&self, word: &[char]) -> bool {
        // The complete blocks: the word may be cut.
        let blocks = word.iter().take(word.len() / 4 * 4);
        let standard: Zeroizing<String> = Zeroizing::new(
            blocks
                .map(|c| {
                    if *c == '-' {
                        '+'
                    } else if *c == '_' {
                        '/'
                    } else {
                        *c
                    }
                })
                .collect(),
        );
        let Ok(bytes) = BASE64_STANDARD_NO_PAD.decode(standard.as_bytes()).map(Zeroizing::new) else { return false };
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let line = Line { characters: visible(&text).collect(), is_cut: false };
        let mut covered = vec![Found::Nothing; line.characters.len()];
        for (view, symbols) in views::read(std::slice::from_ref(&line)) {
            // Shorter runs would match by chance.
            for (_, runs) in self.sets.iter().filter(|(of, runs)| *of == view && runs.length >= RUN) {
                runs.cover(&symbols, &mut covered);
            }
        }
        covered.iter().any(|found| *found != Found::Nothing)
    }
}
