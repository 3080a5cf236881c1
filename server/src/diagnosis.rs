//! Server side. From a server's refusal to its cause.
//!
//! This is the only place that reads the text of a reply. Three layers, the first that speaks wins: what providers say
//! in words ([`rules`]), the enhanced status code (RFC 3463), the code at its stage (RFC 5321, RFC 4954). What none of
//! them knows is [`Cause::Unknown`]: a wrong explanation is worse than none.
//!
//! To add a rule: a line in `rules.rs`, and a reply with its cause in `replies.json`.

use app::{diagnosis::cause::Cause, test_run::event::Stage};

use crate::smtp::reply::{EnhancedCode, Reply};

mod rules;
#[cfg(test)]
mod tests;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    pub cause: Cause,
    /// Whether the same attempt, unchanged, may succeed later.
    pub retryable: bool,
}

/// Explains a negative reply at a stage of a conversation with `host`.
pub fn diagnose(stage: Stage, host: &str, reply: &Reply) -> Diagnosis {
    let words = reply.text().to_lowercase();
    let cause = rules::in_words(stage, host, reply, &words)
        .or_else(|| reply.enhanced.and_then(|code| by_enhanced_code(stage, reply.code, code)))
        .unwrap_or_else(|| by_code(stage, reply.code));
    Diagnosis { cause, retryable: reply.is_transient() }
}

/// General knowledge of RFC 3463 and the IANA registry of enhanced status codes.
fn by_enhanced_code(stage: Stage, code: u16, enhanced: EnhancedCode) -> Option<Cause> {
    let EnhancedCode { class, subject, detail } = enhanced;
    Some(match (subject, detail) {
        (1, 1 | 2 | 6 | 10) if stage == Stage::RcptTo => Cause::RecipientRejected,
        (1, 3) | (5, 2) if stage == Stage::RcptTo || stage == Stage::MailFrom && subject == 1 => Cause::AddressSyntax,
        (1, 7) => Cause::AddressSyntax,
        (1, 8) => Cause::SenderRejected,
        (2, 1) if stage == Stage::RcptTo => Cause::RecipientRejected,
        (2, 2) if stage == Stage::RcptTo => Cause::RecipientMailboxFull,
        (2 | 3, 3 | 4) if subject == 2 && detail == 3 || subject == 3 && detail == 4 => Cause::MessageTooLarge,
        (3, 2) | (4, 0 | 3 | 5) if class == 4 => Cause::ServerBusy,
        (5, 1 | 2) if stage == Stage::Auth && code != 503 => Cause::AuthMechanismUnsupported,
        (5, 3) => Cause::TooManyRecipients,
        (6, 1 | 3) if stage == Stage::Data => Cause::MessageRejected,
        (6, 7) => Cause::AddressSyntax,
        (7, 4) if stage == Stage::Auth => Cause::AuthMechanismUnsupported,
        (7, 8) if stage == Stage::Auth && class == 5 => Cause::BadCredentials,
        (7, 9) if stage == Stage::Auth => Cause::AuthMechanismUnsupported,
        (7, 11) => Cause::StarttlsRequired,
        (7, 20..=27) => Cause::DomainAuthentication,
        _ => return None,
    })
}

/// General knowledge of RFC 5321 §4.2.3 and RFC 4954 §6.
fn by_code(stage: Stage, code: u16) -> Cause {
    match (stage, code) {
        (_, 421) => Cause::ServerBusy,
        (Stage::Auth, 535) => Cause::BadCredentials,
        (Stage::Auth, 534 | 504) => Cause::AuthMechanismUnsupported,
        (Stage::Auth, 538) => Cause::StarttlsRequired,
        (Stage::Auth, 502) => Cause::AuthNotOffered,
        (Stage::Auth, 430..=459) => Cause::ServerBusy,
        (Stage::Starttls, 450..=459) => Cause::ServerBusy,
        (Stage::Starttls, 500..=509) => Cause::StarttlsNotOffered,
        (Stage::MailFrom | Stage::RcptTo | Stage::Data, 530) => Cause::AuthRequired,
        (Stage::Ehlo, 500..=504 | 550) => Cause::EhloRejected,
        (_, 503) => Cause::ProtocolError,
        (Stage::MailFrom | Stage::Data, 552) => Cause::MessageTooLarge,
        (Stage::RcptTo, 552) => Cause::RecipientMailboxFull,
        (Stage::MailFrom | Stage::RcptTo, 553) | (_, 501) => Cause::AddressSyntax,
        (Stage::RcptTo, 550 | 551) => Cause::RecipientRejected,
        (_, 500 | 502) => Cause::ProtocolError,
        (_, 451 | 454 | 452) => Cause::ServerBusy,
        _ => Cause::Unknown,
    }
}
