//! Texts and names in headers: plain where they are plain ASCII, else as encoded words (RFC 2047).

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::message::Mailbox;
use model::encoding::Encoding;

use super::charset::encode;

/// An encoded word is at most this long (RFC 2047 §2).
const LONGEST_WORD: usize = 75;
/// A line is best no longer than this (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 76;

/// A text without what must not stand in a header: control characters, line ends, marks that turn the direction.
pub(super) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// Whether a text that looks harmless becomes a line end, another control character, or a mark that turns the direction,
/// where it is decoded once more: as percent escapes (RFC 2231) or as encoded words (RFC 2047), which some mail readers do
/// in any parameter.
pub fn hides_a_control(text: &str) -> bool {
    hides_within(text, 4)
}

/// Readers decode in either order, and what one order loses, the other one shows.
fn hides_within(text: &str, rounds: u32) -> bool {
    if clean(text) != text {
        return true;
    }
    // Nobody nests escapes so deep without a purpose.
    [percent_decode(text), decode_words(text)]
        .iter()
        .any(|decoded| decoded != text && (rounds == 0 || hides_within(decoded, rounds - 1)))
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

/// Decodes each encoded word, wherever it stands: some readers do not ask for a blank before it.
fn decode_words(text: &str) -> String {
    let (mut decoded, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("=?") {
        decoded.push_str(&rest[..at]);
        let word = &rest[at..];
        let end = end_of_word(word);
        decoded.push_str(&end.map_or_else(|| "=?".to_owned(), |end| decode_word(&word[..end])));
        rest = &word[end.unwrap_or(2)..];
    }
    decoded + rest
}

/// Of `=?charset?B?…?=`.
fn end_of_word(word: &str) -> Option<usize> {
    let charset = word.get(2..)?.find('?')? + 3;
    let encoding = word.get(charset..)?.find('?')? + charset + 1;
    Some(word.get(encoding..)?.find("?=")? + encoding + 2)
}

fn decode_word(word: &str) -> String {
    // Between two letters, so that a line end at its border is not taken for the header's.
    let header = format!("Subject: x {word} x\r\n\r\n");
    let message = mail_parser::MessageParser::default().parse_headers(header.as_bytes());
    let subject = message.and_then(|message| message.subject().map(str::to_owned)).unwrap_or_default();
    subject.strip_prefix("x ").and_then(|text| text.strip_suffix(" x")).unwrap_or(word).to_owned()
}

/// The name of a file. What hides something loses the marks by which it would be decoded.
pub(super) fn file_name(name: &str) -> String {
    let name = clean(name);
    if hides_a_control(&name) { name.replace(['%', '?', '='], "_") } else { name }
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

/// Encoded words, one a line.
fn words(text: &str, charset: Encoding, column: usize) -> String {
    let opening = format!("=?{}?B?", charset.as_str());
    let room = |column: usize| (LONGEST_WORD.min(LONGEST_LINE - column.min(40)) - opening.len() - 2) / 4 * 3;
    let mut lines = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut limit = room(column);
    for character in text.chars() {
        let bytes = encode(character.encode_utf8(&mut [0; 4]), charset).unwrap_or_else(|| vec![b'?']);
        if !word.is_empty() && word.len() + bytes.len() > limit {
            lines.push(std::mem::take(&mut word));
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
