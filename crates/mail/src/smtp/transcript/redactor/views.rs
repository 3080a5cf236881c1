//! The ways to read a text: each leaves out what a form of the secret puts in between, and records the position of
//! every symbol.

use std::iter;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::Line;

/// One way to read a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// In lower case.
    AsItStands,
    /// The same without spaces.
    Squeezed,
    /// Letters and digits only.
    Plain,
    /// Hexadecimal digits with any separators; other letters end a run.
    Hexadecimal,
    /// Bytes written as decimal numbers: `116, 114, 48`.
    Decimal,
    /// Bytes written as octal numbers.
    Octal,
    /// Bytes written in binary.
    Binary,
    /// Every second, third or fourth symbol, from each possible start, without spaces: other characters are in between.
    Every(u8),
}

/// The distances of [`View::Every`].
pub const APART: [u8; 3] = [2, 3, 4];

/// A byte, and the first and last character that represent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// The byte, in lower case if it is a letter.
    pub byte: u8,
    /// The first character.
    pub from: usize,
    /// The last character.
    pub to: usize,
}

/// Occurs in no secret: no run crosses it.
const END: u8 = 0;
/// How many levels of escapes are undone: escapes may be escaped.
const UNDONE: usize = 2;

/// The lines in every view, as one text. A cut line is not joined with the next one.
pub fn read(lines: &[Line]) -> Vec<(View, Vec<Symbol>)> {
    let mut read = Vec::new();
    views(stand(lines, false), &mut read);
    // Look-alike letters count as letters: full-width, circled, accented, with an ornament beside them.
    if lines.iter().any(|line| !line.characters.iter().all(char::is_ascii)) {
        views(stand(lines, true), &mut read);
    }
    read
}

fn views(mut text: Vec<Symbol>, read: &mut Vec<(View, Vec<Symbol>)>) {
    for undone in 0..=UNDONE {
        if undone > 0 {
            match undo_escapes(&text) {
                Some(plainer) => text = plainer,
                None => break,
            }
        }
        let plain = keep(&text, |byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
        read.push((View::Hexadecimal, digits(&plain)));
        read.push((View::Decimal, numbers(&text, 10)));
        read.push((View::Octal, numbers(&text, 8)));
        read.push((View::Binary, numbers(&text, 2)));
        read.push((View::Plain, plain));
        let squeezed = keep(&text, |byte| byte != b' ');
        if undone == 0 {
            read.extend(APART.map(|apart| (View::Every(apart), every(&squeezed, usize::from(apart)))));
        }
        read.push((View::Squeezed, squeezed));
        read.push((View::AsItStands, text.clone()));
    }
}

/// Every `apart`th symbol, for each possible start. Together they are as long as the text.
fn every(squeezed: &[Symbol], apart: usize) -> Vec<Symbol> {
    let mut all = Vec::with_capacity(squeezed.len() + apart);
    for first in 0..apart {
        all.extend(squeezed.iter().copied().skip(first).step_by(apart));
        if let Some(last) = all.last().copied() {
            all.push(Symbol { byte: END, ..last });
        }
    }
    all
}

/// The basic shape of a character in lower case: without marks and ornaments (NFKD).
pub fn plain_shape(character: char, mut tell: impl FnMut(char)) {
    decompose_compatible(character, |part| {
        if part.is_ascii() || part.is_alphanumeric() && !is_combining_mark(part) {
            part.to_lowercase().for_each(&mut tell);
        }
    });
}

/// The text in lower case, all white space as spaces; in basic shapes if requested.
fn stand(lines: &[Line], in_plain_shapes: bool) -> Vec<Symbol> {
    let (mut symbols, mut start) = (Vec::new(), 0);
    for (number, line) in lines.iter().enumerate() {
        // Servers repeat the enhanced code on each line.
        let skipped = if number > 0 { enhanced_code(&line.characters) } else { 0 };
        for (at, character) in line.characters.iter().enumerate().skip(skipped) {
            let place = start + at;
            if character.is_whitespace() {
                symbols.push(Symbol { byte: b' ', from: place, to: place });
                continue;
            }
            let push = |lower: char| {
                let mut bytes = [0; 4];
                let bytes = lower.encode_utf8(&mut bytes).bytes();
                symbols.extend(bytes.map(|byte| Symbol { byte, from: place, to: place }));
            };
            if in_plain_shapes {
                plain_shape(*character, push);
            } else {
                character.to_lowercase().for_each(push);
            }
        }
        start += line.characters.len();
        if line.is_cut {
            let place = start.saturating_sub(1);
            symbols.push(Symbol { byte: END, from: place, to: place });
        }
    }
    symbols
}

/// The length of the enhanced code (RFC 3463) at the start of a line.
fn enhanced_code(line: &[char]) -> usize {
    let length = line.iter().take_while(|c| c.is_ascii_digit() || **c == '.').count();
    let is_code = length >= 5 && line[..length].iter().filter(|c| **c == '.').count() == 2;
    if is_code && line.get(length).is_none_or(|c| c.is_whitespace()) { length } else { 0 }
}

fn keep(text: &[Symbol], wanted: impl Fn(u8) -> bool) -> Vec<Symbol> {
    text.iter().copied().filter(|symbol| symbol.byte == END || wanted(symbol.byte)).collect()
}

/// `7472`, `74 72`, `74:72`, `0x74, 0x72`, `74h 72h`.
fn digits(plain: &[Symbol]) -> Vec<Symbol> {
    let mut digits = Vec::with_capacity(plain.len());
    let mut rest = plain.iter().copied().peekable();
    while let Some(symbol) = rest.next() {
        match symbol.byte {
            b'0' if rest.peek().is_some_and(|next| next.byte == b'x') => drop(rest.next()),
            b'x' | b'h' => {}
            byte if byte.is_ascii_hexdigit() => digits.push(symbol),
            _ => digits.push(Symbol { byte: END, ..symbol }),
        }
    }
    digits
}

/// Every number that fits a byte, in lower case; a larger one ends a run. Words in between are ignored.
fn numbers(text: &[Symbol], radix: u16) -> Vec<Symbol> {
    let mut numbers: Vec<Symbol> = Vec::new();
    let mut open: Option<(u16, Symbol)> = None;
    let value = |byte: u8| Some(u16::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < radix);
    for symbol in text.iter().copied().chain(iter::once(Symbol { byte: b' ', from: 0, to: 0 })) {
        open = match (value(symbol.byte), open) {
            (Some(digit), None) => Some((digit, symbol)),
            (Some(digit), Some((number, begun))) => {
                Some(((number * radix + digit).min(1_000), Symbol { to: symbol.to, ..begun }))
            }
            (None, None) => None,
            (None, Some((number, begun))) => {
                let byte = u8::try_from(number).unwrap_or(END).to_ascii_lowercase();
                numbers.push(Symbol { byte, ..begun });
                None
            }
        };
    }
    numbers
}

/// The text without escapes, `None` if it has none: `%74`, `=74`, `\x74`, `\u0074`, `%u0074`, `\164`, `\"`, `&#116;`,
/// `&#x74;`, `&amp;`. It is already in lower case.
fn undo_escapes(text: &[Symbol]) -> Option<Vec<Symbol>> {
    let mut plainer = Vec::with_capacity(text.len());
    let (mut at, mut any) = (0, false);
    while at < text.len() {
        let Some((character, length)) = escape(&text[at..]) else {
            plainer.push(text[at]);
            at += 1;
            continue;
        };
        let (from, to) = (text[at].from, text[at + length - 1].to);
        let mut push = |byte| plainer.push(Symbol { byte, from, to });
        match character {
            Escaped::Byte(byte) => push(byte.to_ascii_lowercase()),
            Escaped::Character(character) if character.is_whitespace() => push(b' '),
            Escaped::Character(character) => {
                for lower in character.to_lowercase() {
                    lower.encode_utf8(&mut [0; 4]).bytes().for_each(&mut push);
                }
            }
        }
        at += length;
        any = true;
    }
    any.then_some(plainer)
}

enum Escaped {
    Byte(u8),
    Character(char),
}

const NAMED: [(&[u8], char); 6] =
    [(b"&amp;", '&'), (b"&lt;", '<'), (b"&gt;", '>'), (b"&quot;", '"'), (b"&apos;", '\''), (b"&nbsp;", ' ')];

/// The escape at the start of the text, and its length in symbols.
fn escape(text: &[Symbol]) -> Option<(Escaped, usize)> {
    let byte = |at: usize| text.get(at).map(|symbol| symbol.byte);
    let number = |from: usize, length: usize, radix: u32| {
        let digits = text.get(from..from + length)?;
        digits.iter().try_fold(0_u32, |number, symbol| Some(number * radix + char::from(symbol.byte).to_digit(radix)?))
    };
    let one_byte = |number: Option<u32>, length: usize| Some((Escaped::Byte(u8::try_from(number?).ok()?), length));
    let wide = |from: usize| Some((Escaped::Character(char::from_u32(number(from, 4, 16)?)?), from + 4));
    match (byte(0)?, byte(1)?) {
        (b'%' | b'\\', b'u') => wide(2),
        (b'%' | b'=', _) => one_byte(number(1, 2, 16), 3),
        (b'\\', b'x') => one_byte(number(2, 2, 16), 4),
        (b'\\', b'0'..=b'7') => one_byte(number(1, 3, 8), 4),
        (b'\\', b'n' | b'r' | b't') => Some((Escaped::Byte(b' '), 2)),
        (b'\\', sign) if sign.is_ascii_punctuation() => Some((Escaped::Byte(sign), 2)),
        (b'&', b'#') => {
            let (from, radix) = if byte(2) == Some(b'x') { (3, 16) } else { (2, 10) };
            let length = (0..=6).find(|length| byte(from + length) == Some(b';'))?;
            let character = char::from_u32(number(from, length, radix)?)?;
            Some((Escaped::Character(character), from + length + 1))
        }
        (b'&', _) => {
            let begins = |name: &[u8]| name.iter().enumerate().all(|(at, letter)| byte(at) == Some(*letter));
            let (name, character) = NAMED.iter().find(|(name, _)| begins(name))?;
            Some((Escaped::Character(*character), name.len()))
        }
        _ => None,
    }
}
