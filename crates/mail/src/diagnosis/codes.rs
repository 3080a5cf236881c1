//! What the codes mean when no rule recognises the text. A code means no more than its standard says: `550` at `RCPT
//! TO` without further text concerns the recipient, but with unrecognised words, or with an enhanced code about another
//! subject, it may mean anything, which is [`Cause::Unknown`].
//!
//! - `554` alone after `DATA` stays unknown: RFC 5321 calls it "transaction failed", and servers use it for content,
//!   for the sender and for themselves.
//! - `550` alone at `MAIL FROM` and `5.7.1` alone anywhere stay unknown for the same reason.
//! - A temporary refusal without other information is [`Cause::ServerBusy`]: it only says "come back later". With
//!   `4.7.x` (a policy), or with unrecognised words after `450`, it does not even say that.

use model::{cause::Cause, stage::Stage};

use super::text::Text;
use crate::reply::EnhancedCode;

/// "Error", "Login no": a `535` with more words than this, none of them recognised, may mean something else. `5.7.8`
/// adds nothing, because servers send it with every refused login.
const A_FEW: usize = 4;

/// The registry of enhanced status codes (RFC 5248): RFC 3463, RFC 4954, RFC 7372, RFC 7505.
pub(super) fn by_enhanced_code(stage: Stage, text: &Text) -> Option<Cause> {
    let EnhancedCode { class, subject, detail } = text.enhanced?;
    Some(match (stage, subject, detail) {
        (Stage::RcptTo, 1, 1 | 2 | 4 | 6 | 10) | (Stage::RcptTo, 2, 1) => Cause::RecipientRejected,
        // An unexpandable list: a permanent refusal concerns the address, a temporary one the server.
        (Stage::RcptTo, 2, 4) if class == 5 => Cause::RecipientRejected,
        (Stage::RcptTo, 2, 4) => Cause::ServerBusy,
        (Stage::RcptTo, 4, 4) if class == 5 => Cause::RecipientRejected,
        (Stage::RcptTo, 7, 2 | 13 | 17 | 18) => Cause::RecipientRejected,
        (Stage::RcptTo, 2, 2) => Cause::RecipientMailboxFull,
        (Stage::RcptTo, 1, 3) | (Stage::MailFrom | Stage::RcptTo, 1, 7) | (_, 6, 7) => Cause::AddressSyntax,
        (Stage::MailFrom | Stage::RcptTo | Stage::Data, 1, 8) | (_, 7, 27) => Cause::SenderRejected,
        (Stage::MailFrom | Stage::RcptTo | Stage::Data, 2, 3) | (_, 3, 4) => Cause::MessageTooLarge,
        (Stage::RcptTo | Stage::Data, 5, 3) => Cause::TooManyRecipients,
        (Stage::Data, 6, _) => Cause::MessageRejected,
        (Stage::Auth, 7, 4) => Cause::AuthMechanismUnsupported,
        (Stage::Auth, 7, 8) if class == 5 && text.length() <= A_FEW => Cause::BadCredentials,
        (Stage::Auth, 7, 13) => Cause::AccountBlocked,
        (Stage::Auth, 5, 6) => Cause::ProtocolError,
        (_, 7, 10 | 11) => Cause::StarttlsRequired,
        (_, 7, 20..=24 | 26 | 29) => Cause::DomainAuthentication,
        (_, 7, 25) => Cause::IpBlocked,
        (_, 7, 28) => Cause::RateLimited,
        (Stage::MailFrom | Stage::RcptTo, 5, 2 | 4) if text.code == 501 => Cause::ProtocolError,
        (Stage::Ehlo, 5, 4) => Cause::EhloRejected,
        (_, 3 | 4, _) if class == 4 => Cause::ServerBusy,
        _ => return None,
    })
}

/// RFC 5321 §4.2.3, RFC 4954 §6, RFC 7504.
pub(super) fn by_code(stage: Stage, text: &Text) -> Cause {
    let silent = text.is_bare() && about(text, &[0, 1, 2]);
    match (stage, text.code) {
        // A positive reply that was not expected here.
        (_, 200..=399) => Cause::ProtocolError,
        (_, 421) if about(text, &[0, 3, 4]) || text.is_bare() => Cause::ServerBusy,
        (Stage::Auth, 535) if text.length() <= A_FEW => Cause::BadCredentials,
        (Stage::Auth, 504) => Cause::AuthMechanismUnsupported,
        (Stage::Auth, 534) if text.is_bare() => Cause::AuthMechanismUnsupported,
        (Stage::Auth, 538) => Cause::StarttlsRequired,
        (Stage::Auth, 500 | 502) => Cause::AuthNotOffered,
        (Stage::Auth, 430..=459) | (Stage::Starttls, 400..=499) => Cause::ServerBusy,
        (Stage::Starttls, 500 | 502 | 504) => Cause::StarttlsNotOffered,
        (Stage::MailFrom | Stage::RcptTo | Stage::Data, 530) => Cause::AuthRequired,
        (Stage::Ehlo, 500..=502 | 504) => Cause::EhloRejected,
        (Stage::Ehlo, 550) if silent => Cause::EhloRejected,
        (Stage::Greeting, 521) if text.is_bare() => Cause::NotSubmissionServer,
        (Stage::MailFrom | Stage::RcptTo, 501 | 553) if text.is_bare() && about(text, &[0, 1, 5]) => {
            Cause::AddressSyntax
        }
        (Stage::MailFrom | Stage::Data, 552) if silent => Cause::MessageTooLarge,
        (Stage::RcptTo, 552) if silent => Cause::RecipientMailboxFull,
        (Stage::RcptTo, 550 | 551 | 556) if silent => Cause::RecipientRejected,
        (_, 500 | 502 | 503 | 555) if about(text, &[0, 5]) => Cause::ProtocolError,
        (Stage::Auth | Stage::Starttls, 501) => Cause::ProtocolError,
        (_, 451 | 452 | 454 | 455) if about(text, &[0, 2, 3, 4]) => Cause::ServerBusy,
        (_, 450) if silent => Cause::ServerBusy,
        _ => Cause::Unknown,
    }
}

/// Whether the enhanced code, if there is one, speaks of one of these subjects (RFC 3463 §3).
fn about(text: &Text, subjects: &[u16]) -> bool {
    text.enhanced.is_none_or(|code| subjects.contains(&code.subject))
}
