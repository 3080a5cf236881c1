//! Finds a secret, or six consecutive characters of it, in a server's replies, in any encoding.
//!
//! The text is read in several ways ([`views`]): without spaces, letters and digits only, escapes undone, digits as
//! bytes. In each view, every run of a few symbols is looked up among the runs of the secret's encodings
//! ([`disguises`]). Words of base64 are decoded and searched again ([`inside`]). Each step of a rolling hash covers one
//! run, so the cost is linear in the text, however long the secret, and in the secret, however long the text. If two
//! runs share a hash, too much is hidden, never too little.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::REDACTED;
use crate::{
    aside::aside,
    shown::{LONGEST, visible},
};

mod disguises;
mod inside;
mod views;

use views::{Symbol, View};

/// How many characters beyond the shown ones are searched: a secret may begin just before the cut.
const BEYOND: usize = 200;
/// The most characters searched at once: 10 ms of work at most. A line that no longer fits is not shown.
const MOST: usize = 6_000;

/// Recognises every form of one secret.
pub(in crate::smtp) struct Redactor {
    sets: Vec<(View, Runs)>,
}

/// In bytes. Searching a longer text may block the thread. Ordinary replies are shorter, and are searched on the spot.
const LONG: usize = 1_000;
/// In bytes. Ordinary passwords are shorter.
const LONG_SECRET: usize = 100;

impl Redactor {
    pub(in crate::smtp) fn new(credentials: Option<(&str, &SecretString)>) -> Self {
        let bytes = credentials.map_or(0, |(_, secret)| LONG / LONG_SECRET * secret.expose_secret().len());
        aside(bytes > LONG, || Self::made(credentials))
    }

    fn made(credentials: Option<(&str, &SecretString)>) -> Self {
        let forms = credentials.map(|(login, secret)| disguises::of(login, secret.expose_secret())).unwrap_or_default();
        let mut sets: BTreeMap<(View, usize, bool), Zeroizing<Vec<u64>>> = BTreeMap::new();
        for form in forms {
            let length = form.run.min(form.symbols.len());
            let hashes = sets.entry((form.view, length, form.encoded)).or_default();
            roll(form.symbols.iter().copied(), length, |_, hash| hashes.push(hash));
        }
        let sets = sets.into_iter().map(|((view, length, encoded), hashes)| (view, Runs::new(length, encoded, hashes)));
        Self { sets: sets.collect() }
    }

    /// The text without the secret, cleaned and cut to the shown length.
    pub(in crate::smtp) fn redact(&self, text: &str) -> String {
        self.redact_lines(std::slice::from_ref(&text)).pop().unwrap_or_default()
    }

    /// The same for the lines of one reply: the secret may be spread over them.
    pub(in crate::smtp) fn redact_lines(&self, lines: &[impl AsRef<str>]) -> Vec<String> {
        let bytes: usize = lines.iter().map(|line| line.as_ref().len()).sum();
        aside(bytes > LONG, || self.search(lines))
    }

    fn search(&self, lines: &[impl AsRef<str>]) -> Vec<String> {
        let mut left = if self.sets.is_empty() { usize::MAX } else { MOST };
        let lines: Vec<Line> = lines.iter().map(|line| Line::of(line.as_ref(), &mut left)).collect();
        if self.sets.is_empty() {
            return lines.iter().map(|line| line.shown(|_| false)).collect();
        }
        let read = views::read(&lines);
        let mut covered = vec![Found::Nothing; lines.iter().map(|line| line.characters.len()).sum()];
        for (view, symbols) in &read {
            for (_, runs) in self.sets.iter().filter(|(of, _)| of == view) {
                runs.cover(symbols, &mut covered);
            }
        }
        let mut from = 0;
        for line in &lines {
            self.look_inside(line, &mut covered[from..from + line.characters.len()]);
            from += line.characters.len();
        }
        from = 0;
        let hide = |line: &Line| {
            let covered = line.covered(&covered[from..from + line.characters.len()]);
            from += line.characters.len();
            line.shown(|at| covered[at])
        };
        lines.iter().map(hide).collect()
    }
}

/// One line, up to the searched length.
pub(super) struct Line {
    /// The visible characters.
    pub characters: Vec<char>,
    /// Whether more text follows than is searched.
    pub is_cut: bool,
}

impl Line {
    /// Empty if the line is longer than the remaining budget.
    fn of(text: &str, left: &mut usize) -> Self {
        // Cut first: nothing beyond is processed.
        let mut visible = visible(text);
        let characters: Vec<char> = visible.by_ref().take(LONGEST + BEYOND).collect();
        if characters.len() > *left {
            *left = 0;
            return Self { characters: Vec::new(), is_cut: true };
        }
        *left -= characters.len();
        Self { characters, is_cut: visible.next().is_some() }
    }

    /// Covers whole words for base64 and the like: their ends contain a part of the secret's ends.
    fn covered(&self, found: &[Found]) -> Vec<bool> {
        let mut covered: Vec<bool> = found.iter().map(|found| *found != Found::Nothing).collect();
        let in_word =
            |at: usize| self.characters.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(*c));
        let mut at = 0;
        while at < covered.len() {
            if !in_word(at) {
                at += 1;
                continue;
            }
            let end = (at..covered.len()).find(|at| !in_word(*at)).unwrap_or(covered.len());
            if found[at..end].contains(&Found::Encoded) {
                covered[at..end].fill(true);
            }
            at = end;
        }
        covered
    }

    fn shown(&self, hidden: impl Fn(usize) -> bool) -> String {
        let is_cut = self.is_cut || self.characters.len() > LONGEST;
        let most = if is_cut { LONGEST - 1 } else { LONGEST };
        let (mut shown, mut length, mut before) = (String::new(), 0, false);
        for (at, character) in self.characters.iter().enumerate().take(most) {
            let hides = hidden(at);
            match (hides, before) {
                (true, false) => {
                    shown.push_str(REDACTED);
                    length += REDACTED.chars().count();
                }
                (true, true) => {}
                (false, _) => {
                    shown.push(*character);
                    length += 1;
                }
            }
            before = hides;
        }
        // The mark may be longer than the text it replaces.
        let is_long = length > most;
        if is_long {
            shown = shown.chars().take(LONGEST - 1).collect();
        }
        if is_cut || is_long {
            shown.push('…');
        }
        shown
    }
}

/// What was found at a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Plain,
    Encoded,
}

/// Runs of one length, by their hashes.
struct Runs {
    length: usize,
    /// Whether a symbol of their encoding may belong to more than one character.
    encoded: bool,
    sorted: Zeroizing<Vec<u64>>,
    /// A filter on the top bits of each hash: it rejects almost every run of an ordinary text.
    bits: Vec<u64>,
}

/// The size of [`Runs::bits`], as a power of two.
const BITS: u32 = 14;

impl Runs {
    fn new(length: usize, encoded: bool, mut hashes: Zeroizing<Vec<u64>>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        let mut bits = vec![0_u64; 1 << (BITS - 6)];
        for hash in hashes.iter() {
            let (word, bit) = place(*hash);
            bits[word] |= bit;
        }
        Self { length, encoded, sorted: hashes, bits }
    }

    fn has(&self, hash: u64) -> bool {
        let (word, bit) = place(hash);
        self.bits[word] & bit != 0 && self.sorted.binary_search(&hash).is_ok()
    }

    fn cover(&self, symbols: &[Symbol], covered: &mut [Found]) {
        let found = if self.encoded { Found::Encoded } else { Found::Plain };
        roll(symbols.iter().map(|symbol| symbol.byte), self.length, |end, hash| {
            if self.has(hash) {
                let (first, last) = (symbols[end + 1 - self.length].from, symbols[end].to);
                for at in &mut covered[first..=last] {
                    if *at != Found::Encoded {
                        *at = found;
                    }
                }
            }
        });
    }
}

#[allow(clippy::cast_possible_truncation, reason = "14 bits")]
const fn place(hash: u64) -> (usize, u64) {
    let top = (hash >> (64 - BITS)) as usize;
    (top / 64, 1 << (top % 64))
}

/// An odd number without a pattern (the bits of the golden ratio).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Passes the hash of each run of `length` symbols, and its end, to `tell`: a rolling polynomial modulo 2^64.
fn roll(symbols: impl Iterator<Item = u8> + Clone, length: usize, mut tell: impl FnMut(usize, u64)) {
    if length == 0 {
        return;
    }
    let weight = |symbol: u8| (u64::from(symbol) + 1).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let highest = (0..length).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut leaving = symbols.clone();
    let mut hash = 0_u64;
    for (at, symbol) in symbols.enumerate() {
        hash = hash.wrapping_mul(BASE).wrapping_add(weight(symbol));
        if at >= length {
            let left = leaving.next().map_or(0, weight);
            hash = hash.wrapping_sub(left.wrapping_mul(highest));
        }
        if at + 1 >= length {
            // The top bits are checked first.
            tell(at, hash ^ (hash << 29));
        }
    }
}
