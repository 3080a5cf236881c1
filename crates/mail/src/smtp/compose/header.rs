//! Texts and names in headers: unchanged if they are plain ASCII, otherwise as encoded words (RFC 2047).

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use encoding_rs::{ISO_8859_15, WINDOWS_1252};
use lettre::message::Mailbox;
use model::encoding::Encoding;

use super::charset::encode;

/// The most characters of an encoded word (RFC 2047 §2).
const LONGEST_WORD: usize = 75;
/// The recommended length of a line, in characters (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 76;

/// Removes what a header must not contain: control characters, line ends, bidirectional marks.
pub(super) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// Whether a harmless-looking text hides a line end, another control character or a bidirectional mark that appears
/// when it is decoded once more: as percent escapes (RFC 2231) or as encoded words (RFC 2047), which some mail readers
/// decode in any parameter. An encoded word in an unknown charset cannot be checked, so it counts as hiding one.
pub fn hides_a_control(text: &str) -> bool {
    hides_within(text, 4)
}

/// Readers decode in either order, so both orders are tried.
fn hides_within(text: &str, rounds: u32) -> bool {
    if clean(text) != text {
        return true;
    }
    let Some(readings) = decode_words(text) else { return true };
    // Legitimate text does not nest escapes this deep.
    std::iter::once(percent_decode(text))
        .chain(readings)
        .any(|decoded| decoded != text && (rounds == 0 || hides_within(&decoded, rounds - 1)))
}

fn percent_decode(text: &str) -> String {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let escaped =
            (*byte == b'%').then(|| Some(digit(bytes.get(at + 1))? * 16 + digit(bytes.get(at + 2))?)).flatten();
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The text with its encoded words decoded, wherever they are: some readers do not require a space before one. The
/// first result uses their charsets, the second UTF-8 where the bytes are valid. `None` if a word's meaning is unknown.
fn decode_words(text: &str) -> Option<[String; 2]> {
    let (mut decoded, mut rest) = ([String::new(), String::new()], text);
    while let Some(at) = rest.find("=?") {
        for decoded in &mut decoded {
            decoded.push_str(&rest[..at]);
        }
        let Some((word, after)) = Word::at(&rest[at + 2..]) else {
            for decoded in &mut decoded {
                decoded.push_str("=?");
            }
            rest = &rest[at + 2..];
            continue;
        };
        let readings = word.readings()?;
        decoded.iter_mut().zip(&readings).for_each(|(decoded, reading)| decoded.push_str(reading));
        rest = after;
    }
    Some(decoded.map(|decoded| decoded + rest))
}

/// `=?charset?B?…?=`, split into its parts.
struct Word<'a> {
    charset: &'a str,
    encoding: &'a str,
    text: &'a str,
}

impl<'a> Word<'a> {
    /// The word that begins here, after its `=?`, and the rest. A word without an end extends to the end of the text:
    /// some readers do not require one.
    fn at(text: &'a str) -> Option<(Self, &'a str)> {
        let (charset, rest) = text.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (text, after) = rest.split_once("?=").unwrap_or((rest, ""));
        // A language may follow the charset (RFC 2231 §5).
        let charset = charset.split('*').next().unwrap_or_default();
        Some((Self { charset, encoding, text }, after))
    }

    fn readings(&self) -> Option<[String; 2]> {
        let bytes = if self.encoding.eq_ignore_ascii_case("b") {
            // Padding belongs at the end. Readers differ on any other placement.
            BASE64_STANDARD_NO_PAD.decode(self.text.trim_end_matches('=')).ok()?
        } else if self.encoding.eq_ignore_ascii_case("q") {
            quoted(self.text)?
        } else {
            return None;
        };
        let utf8 = std::str::from_utf8(&bytes).ok();
        let own = match self.charset.to_ascii_lowercase().as_str() {
            "utf-8" => utf8?.to_owned(),
            "us-ascii" if bytes.is_ascii() => utf8?.to_owned(),
            "iso-8859-1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
            "iso-8859-15" => ISO_8859_15.decode_without_bom_handling(&bytes).0.into_owned(),
            "windows-1252" => WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned(),
            _ => return None,
        };
        let other = utf8.unwrap_or(&own).to_owned();
        Some([own, other])
    }
}

/// The encoding `Q` (RFC 2047 §4.2).
fn quoted(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'_' => bytes.push(b' '),
            b'=' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = &rest[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    Some(bytes)
}

/// The name of a file. If it hides a control character, the marks that would decode it are removed.
pub(super) fn file_name(name: &str) -> String {
    let name = clean(name);
    if hides_a_control(&name) { name.replace(['%', '?', '='], "_") } else { name }
}

/// The name of a file as the parameter `name`: quoted, and as encoded words if it is not plain. No standard allows
/// encoded words there (RFC 2047 §5), and every mail reader decodes them.
pub(super) fn name_parameter(name: &str) -> String {
    let plain = name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && name.len() <= 60;
    let value = if plain {
        name.replace('\\', "\\\\").replace('"', "\\\"")
    } else {
        words(name, Encoding::Utf8, " name=\"".len())
    };
    format!("name=\"{value}\"")
}

/// An unstructured text. `column` is where it begins on its line.
pub(super) fn text(text: &str, charset: Encoding, column: usize) -> String {
    let text = clean(text);
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !text.contains("=?");
    if plain && column + text.len() <= LONGEST_LINE && text.trim() == text {
        return text;
    }
    words(&text, charset, column)
}

/// Encoded words, one a line. They are cut at spaces where possible: some readers show a space where two of them meet.
fn words(text: &str, charset: Encoding, column: usize) -> String {
    let opening = format!("=?{}?B?", charset.as_str());
    let room = |column: usize| (LONGEST_WORD.min(LONGEST_LINE - column.min(40)) - opening.len() - 2) / 4 * 3;
    let mut lines = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut limit = room(column);
    for character in text.chars() {
        let bytes = encode(character.encode_utf8(&mut [0; 4]), charset).unwrap_or_else(|| vec![b'?']);
        if !word.is_empty() && word.len() + bytes.len() > limit {
            // A space is one byte in every character set that is used here.
            let at = word.iter().rposition(|byte| *byte == b' ').map_or(word.len(), |space| space + 1);
            let rest = word.split_off(at);
            lines.push(std::mem::replace(&mut word, rest));
            limit = room(1);
        }
        word.extend_from_slice(&bytes);
    }
    lines.push(word);
    let encoded: Vec<String> =
        lines.iter().map(|word| format!("{opening}{}?=", BASE64_STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

/// A list of mailboxes, one a line.
pub(super) fn mailboxes(list: &[Mailbox], charset: Encoding) -> String {
    list.iter().map(|mailbox| one(mailbox, charset)).collect::<Vec<_>>().join(",\r\n ")
}

fn one(mailbox: &Mailbox, charset: Encoding) -> String {
    let address = &mailbox.email;
    let name = mailbox.name.as_deref().map(clean).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        return address.to_string();
    }
    let plain = name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !name.contains("=?") && name.len() <= 60;
    if plain {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{quoted}\"\r\n <{address}>")
    } else {
        format!("{}\r\n <{address}>", words(name, charset, 10))
    }
}
