//! What servers say in words: tables in which the first matching line decides. Lines for one provider come before lines
//! for all servers, and specific lines before general ones.
//!
//! A line is `(stages, providers, patterns, cause)`; no stages means any stage, no providers means every server. It
//! matches when one of its patterns does. A provider is an entry of the table in `model::provider`: its lines apply
//! when the host is one of its own, and when the reply contains its signature. Google's replies end in `gsmtp` under
//! any host name.
//!
//! A pattern is several terms joined by `+`, all of which must hold, and a term is several alternatives joined by `|`:
//!
//! | written | holds when |
//! |---|---|
//! | `mailbox full` | these whole words are adjacent, in any case, with any accents and punctuation |
//! | `throttl*` | a word begins with this |
//! | `account\|user+disabled` | one of the first two *and* the third, in the same sentence |
//! | `~spamhaus` | the word is anywhere in the reply, including links and host names |
//! | `@refused` | the reply contains one of the words of this family ([`families`]) |
//! | `=550`, `=5` | the reply's code, or its first digit |
//! | `5.7.8`, `*.7.8`, `*.7.*` | the enhanced code |
//! | `!relay` | the term is nowhere in the reply |
//!
//! [`Cause::Unknown`] is an ordinary cause here: it says that the code alone would mislead.
//!
//! To add a rule: a line in the table of its subject, above the more general lines, and a reply in `corpus.json`. Tests
//! find a line that no reply reaches, and a reply that another line matches first.

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

/// Stages (empty: any), ids of providers (empty: every server), patterns of which one must match, cause.
type Rule = (&'static [Stage], &'static [&'static str], &'static [&'static str], Cause);

const ANY: &[Stage] = &[];
const MAIL: &[Stage] = &[Stage::MailFrom, Stage::RcptTo, Stage::Data];
const EVERYONE: &[&str] = &[];

/// The tables, in order of precedence.
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

/// A line with its patterns parsed.
struct Line {
    stages: &'static [Stage],
    /// Whether it applies to every server.
    by_everybody: bool,
    providers: Vec<&'static Provider>,
    /// The signatures of its providers.
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

/// The cause of the first matching rule.
pub(super) fn in_words(stage: Stage, host: &str, text: &Text) -> Option<Cause> {
    LINES.iter().find(|line| line.fits(stage, host, text)).map(|line| line.cause)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The index of the matching line: tests find the lines that no reply reaches.
    pub fn line_for(stage: Stage, host: &str, text: &Text) -> Option<usize> {
        LINES.iter().position(|line| line.fits(stage, host, text))
    }

    /// Every line as written.
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
