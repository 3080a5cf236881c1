//! Server side. What may be shown of a conversation: cleaned text, and no secret in any form, also when the server
//! echoes it.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::reply::Reply;

#[cfg(test)]
mod tests;

/// Longest text of a server that is shown, in characters.
const LONGEST: usize = 500;
/// Lines that are kept.
const MOST_LINES: usize = 200;
/// What stands for a secret.
const REDACTED: &str = "•••";

/// Text as it may be shown: at most 500 characters, no control characters, no marks that turn the reading direction.
pub fn clean(text: &str) -> String {
    cut(&visible(text))
}

/// Without control characters and marks that are not seen.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !hidden(*c)).collect()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Knows a secret in every form it may come back in.
pub(super) struct Redactor {
    /// Encodings of the secret, and its parts, in lower case.
    forms: Vec<Zeroizing<String>>,
    /// The secret and its mirror image without blanks, in lower case: in a text without blanks they must not stand.
    squeezed: Vec<Zeroizing<String>>,
    /// The secret and its parts.
    pieces: Vec<Zeroizing<String>>,
}

/// Takes the last group also when it was cut.
const BASE64_LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);
/// From here on a text is a secret also when it is spread out with blanks, or inside base64.
const LONG_ENOUGH: usize = 4;
/// Half of a secret is one, unless it is shorter than this; and so is any part of a long one that is longer than that, both
/// in characters. A token of kilobytes has as many parts as characters: they must be short.
const PARTS: std::ops::RangeInclusive<usize> = 8..=32;

impl Redactor {
    pub(super) fn new(credentials: Option<(&str, &SecretString)>) -> Self {
        let Some((login, secret)) = credentials else {
            return Self { forms: Vec::new(), squeezed: Vec::new(), pieces: Vec::new() };
        };
        let secret = secret.expose_secret();
        let json = serde_json::to_string(secret).unwrap_or_default();
        let mirrored: String = secret.chars().rev().collect();
        let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![
            BASE64_STANDARD.encode(format!("\0{login}\0{secret}")),
            BASE64_STANDARD.encode(format!("{login}\0{login}\0{secret}")),
            BASE64_STANDARD.encode(secret),
            BASE64_URL_SAFE.encode(secret),
            json.trim_matches('"').to_owned(),
            html.replace('\'', "&#39;"),
            html.replace('\'', "&#x27;"),
            html,
            percent(secret, '%', false),
            percent(secret, '%', true),
            percent(secret, '=', false),
            hexadecimal,
            secret.to_owned(),
            visible(secret),
            mirrored.clone(),
        ];
        let pieces = parts(secret);
        forms.extend(pieces.clone());
        let mut forms: Vec<Zeroizing<String>> = forms
            .iter()
            .flat_map(|form| [form.to_ascii_lowercase(), form.trim_end_matches('=').to_ascii_lowercase()])
            .filter(|form| !form.is_empty())
            .map(Zeroizing::new)
            .collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let squeezed = [secret, &mirrored].map(squeeze).into_iter().filter(|form| form.len() >= LONG_ENOUGH);
        let whole = (secret.len() >= LONG_ENOUGH).then(|| secret.to_owned());
        let pieces = whole.into_iter().chain(pieces).map(Zeroizing::new).collect();
        Self { forms, squeezed: squeezed.map(Zeroizing::new).collect(), pieces }
    }

    /// The text, made fit to be seen, without the secret: whatever case an encoding or an echo has, with or without
    /// blanks and unseen characters in between.
    pub(super) fn redact(&self, text: &str) -> String {
        let text = self.without_forms(&self.without_tokens(&visible(text)));
        if self.betrays(&text) { REDACTED.to_owned() } else { text }
    }

    /// Without any of the forms, in any case: servers that write commands back in capitals are known. Where they overlap,
    /// all of it goes.
    fn without_forms(&self, text: &str) -> String {
        // Only ASCII case is ignored, so positions are the same in both texts.
        let searched = text.to_ascii_lowercase();
        let mut covered = vec![false; text.len()];
        for form in &self.forms {
            let mut from = 0;
            while let Some(at) = searched.get(from..).and_then(|rest| rest.find(form.as_str())).map(|at| from + at) {
                covered[at..at + form.len()].fill(true);
                from = at + searched[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        let mut result = String::with_capacity(text.len());
        let mut hidden = false;
        for (at, character) in text.char_indices() {
            match (covered[at], hidden) {
                (true, false) => result.push_str(REDACTED),
                (true, true) => {}
                (false, _) => result.push(character),
            }
            hidden = covered[at];
        }
        result
    }

    /// Whether the secret stands there, spread out.
    fn betrays(&self, text: &str) -> bool {
        let text = squeeze(text);
        self.squeezed.iter().any(|form| text.contains(form.as_str()))
    }

    /// Without the words that hold the secret once they are decoded from base64.
    fn without_tokens(&self, text: &str) -> String {
        if self.pieces.is_empty() {
            return text.to_owned();
        }
        let in_token = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
        let mut result = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c| !in_token(c)) {
            let token = piece.trim_end_matches(|c| !in_token(c));
            let rest = &piece[token.len()..];
            result.push_str(if token.len() >= LONG_ENOUGH && self.is_encoded(token) { REDACTED } else { token });
            result.push_str(rest);
        }
        result
    }

    /// Whether base64 hides the secret there, wherever it begins, and wherever it was cut.
    fn is_encoded(&self, token: &str) -> bool {
        let standard = token.trim_end_matches('=').replace('-', "+").replace('_', "/");
        (0..4).filter_map(|from| standard.get(from..)).any(|text| {
            let whole = if text.len() % 4 == 1 { text.len() - 1 } else { text.len() };
            let decoded = BASE64_LENIENT.decode(&text[..whole]).unwrap_or_default();
            self.pieces
                .iter()
                .any(|piece| decoded.windows(piece.len()).any(|window| window.eq_ignore_ascii_case(piece.as_bytes())))
        })
    }
}

/// The parts of a secret that give it away.
fn parts(secret: &str) -> Vec<String> {
    let characters: Vec<char> = secret.chars().collect();
    let length = characters.len().div_ceil(2).clamp(*PARTS.start(), *PARTS.end());
    if characters.len() <= length {
        return Vec::new();
    }
    characters.windows(length).map(|window| window.iter().collect()).collect()
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// Percent-encoded (RFC 3986), or quoted-printable with `=`.
fn percent(text: &str, mark: char, form: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            b' ' if form => "+".to_owned(),
            _ => format!("{mark}{byte:02X}"),
        })
        .collect()
}

/// The lines of a conversation.
pub(super) struct Transcript {
    lines: Vec<String>,
    redactor: Redactor,
}

impl Transcript {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { lines: Vec::new(), redactor }
    }

    pub(super) fn client(&mut self, line: &str) {
        self.push("C", line);
    }

    pub(super) fn server(&mut self, line: &str) {
        self.push("S", line);
    }

    /// A reply, line by line, unless only all its lines together hold a secret.
    pub(super) fn reply(&mut self, reply: &Reply) {
        let lines: Vec<String> = reply.lines.iter().map(|line| self.shown(line)).collect();
        if self.redactor.betrays(&lines.concat()) {
            return self.server(&format!("{} {REDACTED}", reply.code));
        }
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            self.push("S", format!("{}{separator}{line}", reply.code).trim_end());
        }
    }

    /// Server words fit to be shown.
    pub(super) fn shown(&self, text: &str) -> String {
        cut(&self.redactor.redact(text))
    }

    fn push(&mut self, who: &str, line: &str) {
        if self.lines.len() < MOST_LINES {
            let line = self.shown(line);
            self.lines.push(format!("{who}: {line}"));
        }
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}
