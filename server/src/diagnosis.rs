//! Server side. From a server's refusal to its cause.
//!
//! This is the only place that reads the text of a reply. Three layers, the first that speaks wins: what providers and
//! servers say in words ([`rules`]), the enhanced status code, the code at its stage ([`codes`]). What none of them
//! knows is [`Cause::Unknown`]: a wrong explanation is worse than none.
//!
//! To add a rule: a line in the table of its subject (`rules/*.rs`), and a reply with its cause in `corpus.json`.

use app::{diagnosis::cause::Cause, test_run::event::Stage};

use crate::smtp::reply::Reply;
use text::Text;

mod codes;
mod rules;
#[cfg(test)]
mod tests;
mod text;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    pub cause: Cause,
    /// Whether the same attempt, unchanged, may succeed later.
    pub retryable: bool,
}

/// Explains a negative reply at a stage of a conversation with `host`.
pub fn diagnose(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let text = Text::of(reply);
    let cause = rules::in_words(stage, host, &text)
        .or_else(|| codes::by_enhanced_code(stage, &text))
        .unwrap_or_else(|| codes::by_code(stage, &text));
    Diagnosis { cause, retryable: reply.is_transient() }
}
