//! From a server's refusal to its cause.
//!
//! This is the only place that reads the text of a reply. Three layers, the first that speaks wins: what providers and
//! servers say in words (`rules`), the enhanced status code, the code at its stage (`codes`). What none of them
//! knows is [`Cause::Unknown`]: a wrong explanation is worse than none.
//!
//! To add a rule: a line in the table of its subject (`rules/*.rs`), and a reply with its cause in `corpus.json`.

use model::{cause::Cause, stage::Stage};

use crate::{aside::aside, reply::Reply};
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

/// Replies in more bytes, or in more sentences, are not compared with all the rules where others wait for the thread. Usual ones
/// are shorter.
const LONG: usize = 300;
const MANY_SENTENCES: usize = 6;

/// Explains a negative reply at a stage of a conversation with `host`.
pub fn diagnose(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let bytes: usize = reply.lines.iter().map(String::len).sum();
    let ends = || reply.lines.iter().flat_map(|line| line.bytes()).filter(|byte| b".!?;".contains(byte));
    aside(bytes > LONG || ends().nth(MANY_SENTENCES).is_some(), || explain(stage, host, reply))
}

fn explain(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let text = Text::of(reply);
    let cause = rules::in_words(stage, host, &text)
        .or_else(|| codes::by_enhanced_code(stage, &text))
        .unwrap_or_else(|| codes::by_code(stage, &text));
    Diagnosis { cause, retryable: may_succeed_later(cause, reply) }
}

/// The cause knows better than the code: a limit ends even where the server says `550`, and a password does not become
/// right because it says `450`.
fn may_succeed_later(cause: Cause, reply: &Reply) -> bool {
    match cause {
        // Time alone ends these.
        Cause::Greylisted
        | Cause::RateLimited
        | Cause::QuotaExceeded
        | Cause::TooManyConnections
        | Cause::ServerBusy
        | Cause::ConnectionLost
        | Cause::Timeout => true,
        // A setting, an account or a domain has to change first. A temporary code is said here for the sake of queues
        // that wait for an administrator, and a shop owner is no queue.
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
        | Cause::EhloRejected
        | Cause::SenderNotVerified
        | Cause::SandboxRestricted
        | Cause::RelayDenied
        | Cause::AddressSyntax
        | Cause::MessageTooLarge
        | Cause::DomainAuthentication => false,
        // The rest is as the server says: a mailbox is emptied, a block list forgets, a name server comes back.
        _ => reply.is_transient(),
    }
}
