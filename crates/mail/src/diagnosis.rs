//! From a server's refusal to its cause.
//!
//! This is the only place that reads the text of a reply. A rule for one provider, and one whose code and words agree,
//! decides alone. Otherwise three layers are tried in order: known phrases (`rules`, first inside a `frame`), the enhanced
//! status code, and the reply code at its stage (`codes`). A classifier trained on collected replies (`learned`) overrides
//! their result when it is sure. If nothing applies, the cause is [`Cause::Unknown`]: no explanation is better than a
//! wrong one.
//!
//! To add a rule: a line in the table of its subject (`rules/*.rs`), and a reply with its cause in `corpus.json`.

use model::{cause::Cause, stage::Stage};

use crate::{aside::aside, reply::Reply};
use learned::Suggestion;
use rules::Found;
use text::Text;

mod codes;
mod frame;
mod learned;
mod rules;
#[cfg(test)]
mod tests;
mod text;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why the server refused.
    pub cause: Cause,
    /// Whether the same attempt, unchanged, may succeed later.
    pub retryable: bool,
}

/// In bytes. Matching a longer reply, or one with more sentences, against all rules may block the thread. Ordinary
/// replies are shorter.
const LONG: usize = 300;
const MANY_SENTENCES: usize = 6;

/// A suggestion with this margin outweighs the rules; one that rests on few words needs more.
const SURE: f32 = 0.2;
const SURE_OF_FEW_WORDS: f32 = 0.5;
const FEW_WORDS: usize = 4;
/// If the suggestion is not sure, but is ahead of the rules' cause by more than this, the cause is unknown.
const DOUBT: f32 = 0.7;

/// Explains a negative reply at a stage of a conversation with `host`.
pub fn diagnose(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let bytes: usize = reply.lines.iter().map(String::len).sum();
    let ends = || reply.lines.iter().flat_map(|line| line.bytes()).filter(|byte| b".!?;".contains(byte));
    aside(bytes > LONG || ends().nth(MANY_SENTENCES).is_some(), || explain(stage, host, reply))
}

fn explain(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let rules = |stage, text: &Text| rules::in_words(stage, host, text);
    let cause = decide(stage, reply, &rules, &|stage, text| learned::suggestion(stage, host, text));
    Diagnosis { cause, retryable: may_succeed_later(cause, reply) }
}

/// The cause, by the rules and by what the collected replies suggest.
fn decide(
    stage: Stage,
    reply: &Reply,
    rules: &dyn Fn(Stage, &Text) -> Option<Found>,
    suggestion: &dyn Fn(Stage, &Text) -> Option<Suggestion>,
) -> Cause {
    let text = Text::of(reply);
    let inside = frame::reason(stage, reply).map(|(stage, reason)| (stage, Text::of(&reason)));
    let written = inside
        .as_ref()
        .and_then(|(stage, text)| rules(*stage, text).filter(|found| found.cause != Cause::Unknown))
        .or_else(|| rules(stage, &text));
    if let Some(Found { cause, is_certain: true }) = written {
        return cause;
    }
    let by_rules = written.map(|found| found.cause);
    let by_rules =
        by_rules.or_else(|| codes::by_enhanced_code(stage, &text)).unwrap_or_else(|| codes::by_code(stage, &text));
    let (stage, text) = inside.as_ref().map_or((stage, &text), |(stage, text)| (*stage, text));
    match suggestion(stage, text) {
        Some(suggested) if suggested.is_sure() => suggested.cause,
        Some(suggested) if suggested.ahead_of(by_rules) > DOUBT => Cause::Unknown,
        _ => by_rules,
    }
}

impl Suggestion {
    fn is_sure(&self) -> bool {
        self.margin > if self.words < FEW_WORDS { SURE_OF_FEW_WORDS } else { SURE }
    }
}

/// The cause decides before the code: a limit ends even if the server says `550`, and a wrong password stays wrong even
/// if it says `450`.
fn may_succeed_later(cause: Cause, reply: &Reply) -> bool {
    match cause {
        // These end after some time.
        Cause::Greylisted
        | Cause::RateLimited
        | Cause::QuotaExceeded
        | Cause::TooManyConnections
        | Cause::SessionLimit
        | Cause::ServerBusy
        | Cause::ConnectionLost
        | Cause::Timeout => true,
        // A setting, an account or a domain has to change first. Servers use a temporary code here for queues that wait
        // for an administrator; a shop owner has no administrator.
        Cause::BadCredentials
        | Cause::AppPasswordRequired
        | Cause::BasicAuthDisabled
        | Cause::SmtpAuthDisabled
        | Cause::AuthMechanismUnsupported
        | Cause::AuthNotOffered
        | Cause::AuthRequired
        | Cause::OauthPermission
        | Cause::AccountBlocked
        | Cause::IpNotAllowed
        | Cause::StarttlsRequired
        | Cause::StarttlsNotOffered
        | Cause::TlsVersionUnsupported
        | Cause::NotSubmissionServer
        | Cause::WrongServer
        | Cause::EhloRejected
        | Cause::SenderNotVerified
        | Cause::SandboxRestricted
        | Cause::RelayDenied
        | Cause::AddressSyntax
        | Cause::MessageTooLarge
        | Cause::MessageMalformed
        | Cause::DomainAuthentication => false,
        // For the others the code decides: a mailbox is emptied, a block list entry expires, a name server recovers.
        _ => reply.is_transient(),
    }
}
