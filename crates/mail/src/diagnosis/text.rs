//! The text of a reply as the rules see it: sentences of whole words.
//!
//! Words are in lower case, without accents, with one space on each side: a search for `" rbl "` finds the word and
//! never "horribly". Addresses, links and host names are not the server's words: a mailbox may be called `spam@`. They
//! stay in [`Text::everything`], for rules that look for a block list's name.

use crate::reply::{EnhancedCode, Reply};

/// How much of a reply is read, in characters: four times the longest known reply.
const READ: usize = 2_000;
/// The most sentences that are read: each is compared with every rule, and known servers write four.
const SENTENCES: usize = 20;
/// The most words of a name between `<` and `>`.
const NAME: usize = 8;

/// Beginnings of sentences that state a condition, link elsewhere or preach.
#[rustfmt::skip] // a table
const ADVICE: &[&str] = &[
    " if ", " in case ", " should you ", " si ", " en cas ", " wenn ", " falls ", " en caso ",
    " please contact your administrator ", " please contact your system administrator ", " contact your administrator ",
    " please contact the administrator ", " please contact support ", " contactez votre administrateur ",
    " read ", " please read ", " see ", " please see ", " visit ", " please visit ", " learn more ", " for more ",
    " for details ", " for help ", " for information ", " for explanation ", " more information ", " refer to ",
    " please refer ", " consultez ", " voir ", " siehe ", " weitere informationen ",
    " spam is not ", " we do not tolerate ", " we do not authorize the use of ",
];

/// The words of one reply.
pub(super) struct Text {
    /// The reply code.
    pub code: u16,
    /// The enhanced code, from the start of the reply or from its text.
    pub enhanced: Option<EnhancedCode>,
    /// At least one; each without addresses, links and host names. Advice is left out.
    pub sentences: Vec<String>,
    /// The whole reply, with links and addresses split into words.
    pub everything: String,
    /// The words of the links' queries: providers name the reason there.
    pub link_parameters: String,
}

impl Text {
    pub(super) fn of(reply: &Reply) -> Self {
        let text: String = reply.text().chars().take(READ).collect();
        let mut sentences = vec![String::new()];
        let mut quoted = false;
        let tokens: Vec<&str> =
            text.split_whitespace().skip_while(|token| token.eq_ignore_ascii_case("error:")).collect();
        for (index, token) in tokens.iter().copied().enumerate() {
            // `<no such name>` quotes our command; its words are not the server's.
            quoted = quoted || opens_a_name(tokens.get(index..).unwrap_or_default());
            // `rejected.https://…`: a link right after a word.
            let token = token
                .find("http")
                .filter(|at| *at > 0 && token[*at..].contains("://"))
                .map_or(token, |at| &token[..at]);
            if !quoted && !names_something(token) {
                let sentence = sentences.last_mut().into_iter();
                sentence.for_each(|sentence| sentence.extend([token, " "]));
            }
            quoted = quoted && !token.contains('>');
            if token.ends_with(['.', '!', '?', ';']) && sentences.len() < SENTENCES {
                sentences.push(String::new());
            }
        }
        Self {
            code: reply.code,
            enhanced: reply.enhanced.or_else(|| buried_code(reply.code, &text)),
            sentences: without_advice(sentences.iter().map(|sentence| words(sentence)).collect()),
            everything: words(&text),
            link_parameters: words(&queries(&tokens)),
        }
    }

    /// Whether the reply is only a code.
    pub(super) fn is_bare(&self) -> bool {
        self.length() == 0
    }

    /// The number of words.
    pub(super) fn length(&self) -> usize {
        self.sentences.iter().map(|sentence| sentence.split_whitespace().count()).sum()
    }
}

/// What follows the `?` of each link.
fn queries(tokens: &[&str]) -> String {
    let links = tokens.iter().filter(|token| token.contains("://"));
    links.filter_map(|link| Some(link.split_once('?')?.1)).collect::<Vec<_>>().join(" ")
}

/// Lower case, without accents and punctuation, a space before and after each word.
pub(super) fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for letter in text.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(plain) => words.push_str(plain),
            // Chinese and Japanese have no spaces between words: each character is a word.
            None if letter >= '\u{2e80}' && letter.is_alphanumeric() => words.extend([letter, ' ']),
            None if letter.is_alphanumeric() => words.push(letter),
            None if words.ends_with(' ') => {}
            None => words.push(' '),
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// A letter without its accent: old servers write without them.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => "o",
        'ù' | 'ú' | 'û' | 'ü' => "u",
        'ß' => "ss",
        'œ' => "oe",
        _ => return None,
    })
}

/// Whether this is an address, a link or a host name. `rejected.See` is none: host names are in lower case.
fn names_something(token: &str) -> bool {
    let bare = token.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    let is_host = || {
        let labels: Vec<&str> = bare.split('.').collect();
        let is_label = |label: &&str| {
            !label.is_empty() && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        };
        labels.len() > 1
            && labels.iter().all(is_label)
            && labels.last().is_some_and(|last| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    is_reference(bare) || token.contains('@') || token.contains("://") || bare.starts_with("www.") || is_host()
}

/// `4711-spam-2`: a ticket or incident number. `24-hour` and `AES-256` have fewer digits.
fn is_reference(token: &str) -> bool {
    token.contains('-') && !token.contains(',') && token.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// The sentences about this attempt: "If your account is locked, …" does not say that an account is locked. If the
/// reply consists of advice only, its first sentence counts.
fn without_advice(mut sentences: Vec<String>) -> Vec<String> {
    sentences.retain(|sentence| !sentence.trim().is_empty());
    let is_advice = |sentence: &String| ADVICE.iter().any(|start| sentence.starts_with(start));
    let said: Vec<String> = sentences.iter().filter(|sentence| !is_advice(sentence)).cloned().collect();
    if said.is_empty() {
        sentences.truncate(1);
        sentences.resize(1, " ".to_owned());
        return sentences;
    }
    said
}

/// Whether the first word opens a `<` that one of the next words closes with `>`.
fn opens_a_name(tokens: &[&str]) -> bool {
    let opens = |token: &&str| token.starts_with('<') && !token.contains('>') && !token.contains("://");
    tokens.first().is_some_and(opens) && tokens.iter().take(NAME).any(|token| token.contains('>'))
}

/// An enhanced code that is not at the start: `(#5.1.1)` from qmail, `550 5.1.1` from a server behind this one.
fn buried_code(code: u16, text: &str) -> Option<EnhancedCode> {
    let tokens = text.split_whitespace().map(|token| token.trim_matches(['(', ')', '#', '[', ']', ',', ':', '.']));
    // A version such as 5.10.200 is not a code: RFC 3463 defines eight subjects.
    tokens.filter_map(EnhancedCode::parse).find(|found| u16::from(found.class) == code / 100 && found.subject < 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reply: &str) -> Text {
        Text::of(&Reply::parse(reply).unwrap())
    }

    #[test]
    fn words_are_whole_and_plain() {
        assert_eq!(words("Boîte  PLEINE, d’accord"), " boite pleine d accord ");
        assert_eq!(words(""), " ");
        assert_eq!(of("550 No. Not you; never").sentences, [" no ", " not you ", " never "]);
    }

    #[test]
    fn a_reply_without_end_is_read_in_part() {
        let text = of(&format!("550 {}", "No. ".repeat(10_000)));
        assert_eq!(text.sentences.len(), SENTENCES);
        assert!(text.everything.len() <= READ + 2);
    }

    #[test]
    fn names_are_no_words() {
        let text = of("550 <spam@example.com> see https://spf.example/rbl zen.spamhaus.org, now rejected.See");
        assert_eq!(text.sentences, [" see now rejected see "]);
        assert!(text.everything.contains(" spamhaus "));
    }

    #[test]
    fn what_was_sent_is_not_what_is_said() {
        assert_eq!(of("553 <spam test>: domain name required").sentences, [" domain name required "]);
        assert_eq!(of("550 size < 10 and no end").sentences, [" size 10 and no end "]);
    }

    #[test]
    fn advice_is_no_statement() {
        assert_eq!(of("535 Wrong. If locked, call").sentences, [" wrong "]);
        assert_eq!(of("535 Wrong. Locked if so").sentences, [" wrong ", " locked if so "]);
        assert_eq!(of("535 If locked, call").sentences, [" if locked call "]);
    }

    #[test]
    fn a_buried_code_is_found() {
        let code = |reply: &str| of(reply).enhanced.map(|code| code.to_string());
        assert_eq!(code("553 sorry, no relay (#5.7.1)").as_deref(), Some("5.7.1"));
        assert_eq!(code("550 550 5.1.1 Archived").as_deref(), Some("5.1.1"));
        assert_eq!(code("550 5.7.0, denied").as_deref(), Some("5.7.0"));
        assert_eq!(code("550 from 5.7.1.9 with version 5.94.2"), None);
        assert_eq!(code("550 it said 4.7.1"), None);
    }
}
