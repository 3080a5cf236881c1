//! Server side. Texts and names in headers: plain where they are plain ASCII, else as encoded words (RFC 2047).

use app::profile::encoding::Encoding;
use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::message::Mailbox;

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
