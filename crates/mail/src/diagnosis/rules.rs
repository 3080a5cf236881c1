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
pub(super) mod families;
mod format;
mod limits;
mod login;
mod message;
mod opening;
mod pattern;
mod providers;
mod recipient;
mod sender;
mod session;

/// Stages (empty: any), ids of providers (empty: every server), patterns of which one must match, cause.
type Rule = (&'static [Stage], &'static [&'static str], &'static [&'static str], Cause);

const ANY: &[Stage] = &[];
const MAIL: &[Stage] = &[Stage::MailFrom, Stage::RcptTo, Stage::Data];
const EVERYONE: &[&str] = &[];

/// The tables, in order of precedence.
const TABLES: &[&[Rule]] = &[
    providers::RULES,
    agreed::RULES,
    session::RULES,
    format::RULES,
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
    fn concerns(&self, stage: Stage, host: &str, text: &Text) -> bool {
        (self.stages.is_empty() || self.stages.contains(&stage)) && self.is_said_by(host, text)
    }

    fn is_said_by(&self, host: &str, text: &Text) -> bool {
        self.by_everybody
            || self.providers.iter().any(|provider| provider.runs(host))
            || self.signatures.iter().any(|signature| signature.fits(text))
    }
}

/// What the first matching line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub cause: Cause,
    /// It is a line for one provider, from its own documents, or one whose code and words agree.
    pub is_certain: bool,
}

/// The first matching line.
pub(super) fn in_words(stage: Stage, host: &str, text: &Text) -> Option<Found> {
    first(stage, host, text, &|_, _| true).and_then(|(line, _)| found(line))
}

/// The first matching line, and its first matching pattern. `is_on`: whether a pattern of a line counts.
fn first(stage: Stage, host: &str, text: &Text, is_on: &dyn Fn(usize, usize) -> bool) -> Option<(usize, usize)> {
    LINES.iter().enumerate().filter(|(_, line)| line.concerns(stage, host, text)).find_map(|(at, line)| {
        let mut patterns = line.patterns.iter().enumerate();
        patterns.find(|(number, pattern)| is_on(at, *number) && pattern.fits(text)).map(|(number, _)| (at, number))
    })
}

fn found(line: usize) -> Option<Found> {
    Some(Found { cause: LINES.get(line)?.cause, is_certain: line < providers::RULES.len() + agreed::RULES.len() })
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The matching line and pattern: tests find the lines that no reply reaches.
    pub fn reached(stage: Stage, host: &str, text: &Text) -> Option<(usize, usize)> {
        first(stage, host, text, &|_, _| true)
    }

    /// The first matching line with these patterns only.
    pub fn in_words_of(
        patterns: &BTreeSet<(usize, usize)>,
        (stage, host, text): (Stage, &str, &Text),
    ) -> Option<Found> {
        first(stage, host, text, &|line, pattern| patterns.contains(&(line, pattern))).and_then(|(line, _)| found(line))
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
