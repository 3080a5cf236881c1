//! What servers say in words: tables, the first line that fits wins. Providers stand above what is known
//! of all servers, and particular things above general ones.
//!
//! A line is `(stages, providers, patterns, cause)`; no stages: any; no providers: everybody. It fits when one of its patterns
//! does. A provider is one of the table in `model::provider`: it speaks where the host is one of its own, and where the
//! reply contains its signature. Google's end in `gsmtp`, under any host name.
//!
//! A pattern is several terms joined by `+`, all of which must hold, and a term is several alternatives joined by `|`:
//!
//! | written | holds when |
//! |---|---|
//! | `mailbox full` | these whole words are adjacent, in any case, with any accents and punctuation |
//! | `throttl*` | a word begins so |
//! | `account\|user+disabled` | one of the first two *and* the third, in the same sentence |
//! | `~spamhaus` | the word is somewhere in the reply, in a link or the name of a host too |
//! | `@refused` | one of the words of this family ([`families`]) |
//! | `=550`, `=5` | the reply's code, or its first digit |
//! | `5.7.8`, `*.7.8`, `*.7.*` | the enhanced code |
//! | `!relay` | the term does not hold, in the whole reply |
//!
//! [`Cause::Unknown`] is a cause like others here: it says that the code alone would mislead.
//!
//! To add a rule: a line in the table of its subject, above the lines that are more general, and a reply in
//! `corpus.json`. Tests find a line that no reply reaches and a reply that another line takes.

use std::sync::LazyLock;

use model::{
    cause::Cause,
    provider::{self, Provider},
    stage::Stage,
};

use super::text::Text;
use pattern::Pattern;

mod agreed;
mod envelope;
mod families;
mod limits;
mod login;
mod message;
mod opening;
mod pattern;
mod providers;
mod recipient;
mod sender;

/// Stages (none: any), ids of providers (none: everybody), patterns of which one must fit, cause.
type Rule = (&'static [Stage], &'static [&'static str], &'static [&'static str], Cause);

const ANY: &[Stage] = &[];
const MAIL: &[Stage] = &[Stage::MailFrom, Stage::RcptTo, Stage::Data];
const EVERYONE: &[&str] = &[];

/// The tables in the order in which they are asked.
const TABLES: &[&[Rule]] = &[
    providers::RULES,
    agreed::RULES,
    opening::RULES,
    login::RULES,
    envelope::RULES,
    limits::RULES,
    sender::RULES,
    recipient::RULES,
    message::RULES,
];

/// A line with its patterns read.
struct Line {
    stages: &'static [Stage],
    /// Whether everybody may say it.
    by_everybody: bool,
    providers: Vec<&'static Provider>,
    /// How the providers sign.
    signatures: Vec<Pattern>,
    patterns: Vec<Pattern>,
    cause: Cause,
}

static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let rules = TABLES.iter().copied().flatten();
    let read = |&(stages, ids, patterns, cause): &Rule| {
        let providers: Vec<_> = ids.iter().filter_map(|id| provider::get(id)).collect();
        let signatures = providers.iter().flat_map(|provider| &provider.signatures);
        Line {
            stages,
            by_everybody: ids.is_empty(),
            signatures: signatures.map(|words| Pattern::read(&format!("~{words}"))).collect(),
            patterns: patterns.iter().map(|pattern| Pattern::read(pattern)).collect(),
            providers,
            cause,
        }
    };
    rules.map(read).collect()
});

impl Line {
    fn fits(&self, stage: Stage, host: &str, text: &Text) -> bool {
        (self.stages.is_empty() || self.stages.contains(&stage))
            && self.is_said_by(host, text)
            && self.patterns.iter().any(|pattern| pattern.fits(text))
    }

    fn is_said_by(&self, host: &str, text: &Text) -> bool {
        self.by_everybody
            || self.providers.iter().any(|provider| provider.runs(host))
            || self.signatures.iter().any(|signature| signature.fits(text))
    }
}

/// The cause of the first rule that fits.
pub(super) fn in_words(stage: Stage, host: &str, text: &Text) -> Option<Cause> {
    LINES.iter().find(|line| line.fits(stage, host, text)).map(|line| line.cause)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Which line speaks, and its patterns, to find those that no reply reaches.
    pub fn line_for(stage: Stage, host: &str, text: &Text) -> Option<usize> {
        LINES.iter().position(|line| line.fits(stage, host, text))
    }

    /// Every line as it is written.
    pub fn lines() -> Vec<&'static Rule> {
        TABLES.iter().copied().flatten().collect()
    }

    #[test]
    fn families_that_are_named_exist() {
        let alternatives = lines().into_iter().flat_map(|rule| rule.2).flat_map(|pattern| pattern.split(['+', '|']));
        for family in alternatives.filter_map(|word| word.trim_start_matches('!').strip_prefix('@')) {
            assert_ne!(families::of(family), "", "{family}");
        }
    }

    #[test]
    fn providers_that_are_named_exist() {
        for id in lines().into_iter().flat_map(|rule| rule.1) {
            assert!(provider::get(id).is_some(), "{id}");
        }
    }
}
