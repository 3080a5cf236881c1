//! Server side. What may be shown of a conversation: cleaned text, and no secret in any form, also when the server
//! echoes it.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Longest text of a server that is shown, in characters.
const LONGEST: usize = 500;
/// Lines that are kept.
const MOST_LINES: usize = 200;
/// What stands for a secret.
const REDACTED: &str = "•••";

/// Text as it may be shown: at most 500 characters, no control characters, no marks that turn the reading direction.
pub fn clean(text: &str) -> String {
    cut(visible(text))
}

fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !hidden(*c)).collect()
}

fn cut(text: String) -> String {
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Knows a secret in every form it may come back in.
pub(super) struct Redactor(Vec<Zeroizing<String>>);

impl Redactor {
    pub(super) fn new(credentials: Option<(&str, &SecretString)>) -> Self {
        let Some((login, secret)) = credentials else {
            return Self(Vec::new());
        };
        let secret = secret.expose_secret();
        let json = serde_json::to_string(secret).unwrap_or_default();
        let forms = [
            BASE64_STANDARD.encode(format!("\0{login}\0{secret}")),
            BASE64_STANDARD.encode(format!("{login}\0{login}\0{secret}")),
            BASE64_STANDARD.encode(secret),
            json.trim_matches('"').to_owned(),
            percent(secret, false),
            percent(secret, true),
            secret.to_owned(),
        ];
        let mut forms: Vec<Zeroizing<String>> = forms
            .iter()
            .map(|form| visible(form))
            .flat_map(|form| [form.trim_end_matches('=').to_owned(), form])
            .filter(|form| !form.is_empty())
            .map(Zeroizing::new)
            .collect();
        // The longest first: a form may be a part of another one.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms)
    }

    /// The text without the secret, whatever case an encoding or an echo has. Hidden characters go first: a secret that
    /// they split would be whole again once they are gone.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = visible(text);
        for form in &self.0 {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), REDACTED);
            }
        }
        for form in &self.0 {
            text = replace_ignoring_case(&text, form);
        }
        text
    }
}

/// Servers that write commands back in capitals are known.
fn replace_ignoring_case(text: &str, form: &str) -> String {
    // Only ASCII case is ignored, so positions are the same in both texts.
    let (lower, wanted) = (text.to_ascii_lowercase(), form.to_ascii_lowercase());
    if wanted.len() < 4 || !lower.contains(&wanted) {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(&wanted) {
        result.push_str(&text[from..from + at]);
        result.push_str(REDACTED);
        from += at + wanted.len();
    }
    result.push_str(&text[from..]);
    result
}

fn percent(text: &str, form: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            b' ' if form => "+".to_owned(),
            _ => format!("%{byte:02X}"),
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

    /// Server words fit to be shown.
    pub(super) fn shown(&self, text: &str) -> String {
        cut(self.redactor.redact(text))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_of_strangers_is_cleaned() {
        assert_eq!(clean("550 \u{1b}[31mno\u{7}\u{202e}txt"), "550 [31mnotxt");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), 500);
    }

    #[test]
    fn a_secret_split_by_hidden_characters_is_not_put_together_again() {
        let secret = SecretString::from("ge\u{200b}he\"im");
        let transcript = Transcript::new(Redactor::new(Some(("claire", &secret))));
        for echoed in ["gehe\"im", "ge\u{200b}he\"im", "g\u{ad}ehe\"i\0m", "g\u{202e}ehe\\\"im", "GE\u{7}HE\"IM"] {
            assert_eq!(transcript.shown(&format!("535 {echoed}?")), "535 •••?", "{echoed:?}");
        }
    }

    proptest! {
        #[test]
        fn no_form_of_the_secret_is_left(
            secret in "[!-~éà ]{4,24}",
            login in "[a-z]{1,8}@[a-z]{1,8}\\.fr",
            before in "[a-z ]{0,12}",
            upper in any::<bool>(),
        ) {
            let redactor = Redactor::new(Some((&login, &SecretString::from(secret.clone()))));
            let json = serde_json::to_string(&secret).unwrap();
            let forms = [
                secret.clone(),
                BASE64_STANDARD.encode(&secret),
                BASE64_STANDARD.encode(format!("\0{login}\0{secret}")),
                percent(&secret, false),
                percent(&secret, true),
                json.trim_matches('"').to_owned(),
            ];
            for form in forms {
                let echoed = if upper { form.to_ascii_uppercase() } else { form.clone() };
                let shown = redactor.redact(&format!("{before}{echoed} rejected"));
                prop_assert!(!shown.to_ascii_lowercase().contains(&form.to_ascii_lowercase()), "{shown}");
            }
        }
    }
}
