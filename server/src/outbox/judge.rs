//! Server side. From the report of a conversation to what becomes of the message. Nothing here waits or writes.

use std::time::Duration;

use app::{
    diagnosis::cause::Cause,
    profile::sending::{Sign, is_about_the_message},
    test_run::{
        event::Stage,
        report::{Report, Verdict},
    },
};
use jiff::Timestamp;

use crate::store::outbox::{AttemptOutcome, MessageRow, MessageState, Recipient, RecipientState};

#[cfg(test)]
mod tests;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub state: MessageState,
    pub outcome: AttemptOutcome,
    pub recipients: Vec<Recipient>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// Through the relay from now on.
    pub fallback: bool,
    /// What it tells of the profile.
    pub sign: Option<Sign>,
    /// The server is to be left alone for a while.
    pub trouble: bool,
}

/// How a message may go on.
#[derive(Debug, Clone, Copy)]
pub struct Chances {
    /// The moment after a refusal for now.
    pub retry_at: Timestamp,
    /// A relay may take over when the profile fails.
    pub may_fall_back: bool,
    pub now: Timestamp,
}

/// Judges one attempt.
pub fn judge(row: &MessageRow, report: &Report, chances: Chances) -> Judgement {
    let mut report = report.clone();
    report.retryable |= is_about_the_way(&report);
    let report = &report;
    let sign = sign(report);
    let failed_by_itself = matches!(sign, Some(Sign::Failed(_)));
    let fallback = chances.may_fall_back && failed_by_itself && report.verdict == Verdict::Failed;
    let mut recipients = row.recipients.clone();
    for recipient in recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
        settle(recipient, report, fallback);
    }
    let next_at = if fallback { chances.now } else { chances.retry_at };
    let waits = recipients.iter().any(|recipient| recipient.state == RecipientState::Pending);
    if waits && next_at >= row.expires_at {
        give_up(&mut recipients, report.cause);
    }
    let state = state_of(&recipients);
    let outcome = match (report.verdict, state) {
        (Verdict::DeliveryUnknown, _) => AttemptOutcome::DeliveryUnknown,
        (Verdict::Accepted, MessageState::Deferred) => AttemptOutcome::PartlyAccepted,
        (Verdict::Accepted | Verdict::DryRunOk, _) if all_of_this_one_accepted(report) => AttemptOutcome::Accepted,
        (Verdict::Accepted | Verdict::DryRunOk, _) => AttemptOutcome::PartlyAccepted,
        (Verdict::Failed, MessageState::Deferred) if !fallback || report.retryable => AttemptOutcome::Deferred,
        (Verdict::Failed, _) => AttemptOutcome::Failed,
    };
    Judgement {
        state,
        outcome,
        recipients,
        next_at: (state == MessageState::Deferred).then_some(next_at),
        fallback: row.fallback || fallback,
        sign,
        // A refusal for good is no reason to wait: the next message learns of it at once, and the third one of a kind
        // ends it. What passes by itself is waited for.
        trouble: report.verdict == Verdict::Failed && report.retryable && failed_by_itself,
    }
}

/// Whether nobody has refused anything yet: the way to the server, or its greeting, was not what it should be. A test says
/// so at once; a message waits, because that is mended or passes, and the message is as good as before.
fn is_about_the_way(report: &Report) -> bool {
    let refused = report.reply.as_deref().is_some_and(|words| words.starts_with('5'));
    let guarded = matches!(report.cause, Some(Cause::HostInvalid | Cause::HostNotAllowed | Cause::PortNotAllowed));
    report.verdict == Verdict::Failed && report.stage < Stage::Auth && !refused && !guarded
}

fn all_of_this_one_accepted(report: &Report) -> bool {
    report.recipients.iter().all(|recipient| recipient.accepted)
}

/// Moves one recipient that was to get the message.
fn settle(recipient: &mut Recipient, report: &Report, fallback: bool) {
    let own = report.recipients.iter().find(|result| result.address == recipient.address);
    let refused = own.filter(|result| !result.accepted);
    if let Some(refused) = refused {
        (recipient.cause, recipient.reply) = (refused.cause, refused.reply.clone());
        if !refused.retryable && !fallback {
            recipient.state = RecipientState::Failed;
        }
        return;
    }
    match report.verdict {
        Verdict::Accepted => {
            recipient.state = RecipientState::Accepted;
            (recipient.cause, recipient.reply) = (None, report.reply.clone());
        }
        Verdict::DeliveryUnknown => {
            recipient.state = RecipientState::DeliveryUnknown;
            (recipient.cause, recipient.reply) = (report.cause, report.reply.clone());
        }
        Verdict::Failed | Verdict::DryRunOk => {
            (recipient.cause, recipient.reply) = (report.cause, report.reply.clone());
            if !report.retryable && !fallback {
                recipient.state = RecipientState::Failed;
            }
        }
    }
}

/// The time to try is over. `cause`: why it was not tried, for those of whom nothing else is known.
pub fn give_up(recipients: &mut [Recipient], cause: Option<Cause>) {
    for recipient in recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
        recipient.state = RecipientState::Failed;
        recipient.cause = recipient.cause.or(cause);
    }
}

/// The state of a message whose recipients fared so: it waits as long as one of them does.
pub fn state_of(recipients: &[Recipient]) -> MessageState {
    let any = |state| recipients.iter().any(|recipient| recipient.state == state);
    if any(RecipientState::Pending) {
        MessageState::Deferred
    } else if any(RecipientState::DeliveryUnknown) {
        MessageState::DeliveryUnknown
    } else if any(RecipientState::Accepted) {
        MessageState::Accepted
    } else {
        MessageState::Failed
    }
}

/// What a report tells of the profile it went through.
pub fn sign(report: &Report) -> Option<Sign> {
    match (report.verdict, report.cause) {
        (Verdict::Accepted, _) => Some(Sign::Sent),
        (Verdict::DryRunOk, _) => Some(Sign::Well),
        (Verdict::DeliveryUnknown, _) => None,
        (Verdict::Failed, None) => Some(Sign::Failed(Cause::Unknown)),
        // It was let in, and heard about the recipient.
        (Verdict::Failed, Some(Cause::RecipientRejected | Cause::RecipientMailboxFull | Cause::Greylisted)) => {
            (report.stage >= Stage::RcptTo).then_some(Sign::Well)
        }
        // What is said to a recipient for no reason that we know may be about the recipient.
        (Verdict::Failed, Some(Cause::ServerBusy | Cause::Unknown)) if report.stage == Stage::RcptTo => None,
        (Verdict::Failed, Some(cause)) if is_about_the_message(cause) => None,
        (Verdict::Failed, Some(cause)) => Some(Sign::Failed(cause)),
    }
}

/// How long to wait after so many tries: `first`, then twice as long each time, `longest` at most; `spread` from 0 to 1
/// makes it up to a fifth shorter or longer, so that what failed together does not come back together.
pub fn wait(tries: u32, first: Duration, longest: Duration, spread: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(u32::MAX));
    doubled.min(longest).mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0))
}
