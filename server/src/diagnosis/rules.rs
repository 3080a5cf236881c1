//! Server side. What servers say in words: tables, the first line that fits wins. Providers stand above what is known
//! of all servers, and particular things above general ones.
//!
//! A line is `(stages, hosts, patterns, cause)`; no stages: any; no hosts: any. It fits when one of its patterns does.
//! A host is a domain, for itself and all names below it, or `~` and words by which a provider signs its replies:
//! Google's end in `gsmtp` whatever the name that they are reached by.
//!
//! A pattern is several terms joined by `+`, all of which must hold, and a term is several alternatives joined by `|`:
//!
//! | written | holds when |
//! |---|---|
//! | `mailbox full` | these whole words stand side by side, whatever their case, accents and punctuation |
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

use app::{diagnosis::cause::Cause, test_run::event::Stage};

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

/// Stages (none: any), ends of the host's name (none: any), patterns of which one must fit, cause.
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
    hosts: &'static [&'static str],
    /// How the provider signs.
    signatures: Vec<Pattern>,
    patterns: Vec<Pattern>,
    cause: Cause,
}

static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let rules = TABLES.iter().copied().flatten();
    let read = |&(stages, hosts, patterns, cause): &Rule| Line {
        stages,
        hosts,
        signatures: hosts.iter().filter(|host| host.starts_with('~')).map(|words| Pattern::read(words)).collect(),
        patterns: patterns.iter().map(|pattern| Pattern::read(pattern)).collect(),
        cause,
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
        self.hosts.is_empty()
            || self.hosts.iter().any(|domain| is_under(host, domain))
            || self.signatures.iter().any(|signature| signature.fits(text))
    }
}

/// Whether `host` is `domain` or a name below it.
fn is_under(host: &str, domain: &str) -> bool {
    let host = host.trim_end_matches('.');
    let start = host.len().checked_sub(domain.len());
    start.is_some_and(|start| {
        host.is_char_boundary(start)
            && host[start..].eq_ignore_ascii_case(domain)
            && (start == 0 || host[..start].ends_with('.'))
    })
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
    fn hosts_end_at_a_label() {
        assert!(is_under("smtp.orange.fr", "orange.fr") && is_under("ORANGE.fr.", "orange.fr"));
        assert!(!is_under("smtp.yorange.fr", "orange.fr") && !is_under("fr", "orange.fr") && !is_under("", "a"));
        assert!(!is_under("ééé.fr", "x.fr"));
    }
}
