//! Parses a pattern of the tables, and matches it against a reply. The language is described in [`super`].

use super::{super::text, families};
use crate::diagnosis::text::Text;

/// Terms that must all hold.
pub(super) struct Pattern(Vec<Term>);

struct Term {
    negated: bool,
    alternatives: Vec<Condition>,
}

enum Condition {
    /// Words in one sentence, with a space before them and, if the last one is whole, after them.
    Words(String),
    /// The same, anywhere in the reply.
    Anywhere(String),
    /// The code, or its first digit.
    Code(u16),
    /// Class, subject, detail; `None`: any.
    Enhanced([Option<u16>; 3]),
}

impl Pattern {
    pub(super) fn read(written: &str) -> Self {
        Self(written.split('+').map(Term::read).collect())
    }

    /// Whether one sentence contains every required word, and the reply no forbidden one.
    pub(super) fn fits(&self, text: &Text) -> bool {
        let unwanted = |sentence: &String| self.0.iter().any(|term| term.negated && term.holds(sentence, text));
        let wanted = |sentence: &String| self.0.iter().all(|term| term.negated || term.holds(sentence, text));
        text.sentences.iter().any(wanted) && !text.sentences.iter().any(unwanted)
    }
}

impl Term {
    fn read(written: &str) -> Self {
        let (negated, written) = written.strip_prefix('!').map_or((false, written), |rest| (true, rest));
        Self { negated, alternatives: written.split('|').flat_map(Condition::read).collect() }
    }

    fn holds(&self, sentence: &str, text: &Text) -> bool {
        self.alternatives.iter().any(|condition| condition.holds(sentence, text))
    }
}

impl Condition {
    fn read(written: &str) -> Vec<Self> {
        if let Some(family) = written.strip_prefix('@') {
            return families::of(family).split('|').flat_map(Self::read).collect();
        }
        let condition = match written.strip_prefix('=').map(str::parse) {
            Some(Ok(code)) => Self::Code(code),
            _ => match (enhanced(written), written.strip_prefix('~')) {
                (Some(parts), _) => Self::Enhanced(parts),
                (None, Some(rest)) => Self::Anywhere(padded(rest)),
                (None, None) => Self::Words(padded(written)),
            },
        };
        vec![condition]
    }

    fn holds(&self, sentence: &str, text: &Text) -> bool {
        match self {
            Self::Words(words) => sentence.contains(words),
            Self::Anywhere(words) => text.everything.contains(words),
            Self::Code(code) => text.code == *code || text.code / 100 == *code,
            Self::Enhanced(parts) => text.enhanced.is_some_and(|code| {
                let found = [u16::from(code.class), code.subject, code.detail];
                parts.iter().zip(found).all(|(part, found)| part.is_none_or(|part| part == found))
            }),
        }
    }
}

/// A whole word has a space on both sides; a prefix has none after it.
pub(super) fn padded(written: &str) -> String {
    let words = text::words(written);
    if written.ends_with('*') { words.trim_end().to_owned() } else { words }
}

/// `5.7.8`, `*.7.8`, `*.7.*`.
fn enhanced(written: &str) -> Option<[Option<u16>; 3]> {
    let mut parts = written.split('.').map(|part| match part {
        "*" => Some(None),
        digits => digits.parse().ok().map(Some),
    });
    let code = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    fn fits(pattern: &str, reply: &str) -> bool {
        Pattern::read(pattern).fits(&Text::of(&Reply::parse(reply).unwrap()))
    }

    #[test]
    fn words_are_found_whole_or_by_their_start() {
        assert!(fits("mailbox full", "552 5.2.2 Mailbox-full!"));
        assert!(!fits("rbl", "550 That went horribly wrong"));
        assert!(fits("throttl*", "450 Throttling") && !fits("throttl*", "450 unthrottled"));
        assert!(fits("boîte+pleine", "552 La boite est PLEINE"));
    }

    #[test]
    fn terms_hold_together_in_one_sentence() {
        assert!(fits("account|user+disabled", "550 This user is disabled"));
        assert!(!fits("account|user+disabled", "550 TLS is disabled. Ask for an account"));
        assert!(!fits("disabled+!user", "550 Disabled. User?"));
    }

    #[test]
    fn codes_are_conditions() {
        assert!(fits("=550", "550") && fits("=5", "554 x") && !fits("=5", "451 x"));
        assert!(fits("*.7.8", "535 5.7.8 x") && fits("5.*.*", "535 5.7.8 x") && !fits("4.7.8", "535 5.7.8 x"));
        assert!(!fits("*.7.8", "535 x"));
    }

    #[test]
    fn links_are_looked_at_on_demand() {
        assert!(
            fits("~spamhaus", "554 see https://www.spamhaus.org/") && !fits("spamhaus", "554 see www.spamhaus.org")
        );
    }
}
