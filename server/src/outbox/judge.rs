//! Server side. From the report of a conversation to the outcome for each recipient, and so for the message. Nothing
//! here waits or writes.

use std::time::Duration;

use app::{
    diagnosis::cause::Cause,
    profile::sending::{HealthSignal, is_about_the_message},
    test_run::{
        event::Stage,
        report::{Finding, RecipientResult, Report, Verdict},
    },
};
use jiff::Timestamp;

use super::status::{give_up, status_of};
use crate::store::outbox::{AttemptOutcome, MessageState, MessageStatus, Recipient, RecipientState, StoredMessage};

#[cfg(test)]
mod tests;

/// The outcome of an attempt, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub status: MessageStatus,
    pub outcome: AttemptOutcome,
    pub recipients: Vec<Recipient>,
    /// When the message is tried again.
    pub next_at: Option<Timestamp>,
    /// The message goes through the relay from now on.
    pub fallback: bool,
    /// What the attempt says about the profile's health.
    pub signal: Option<HealthSignal>,
    /// The server needs a back-off.
    pub trouble: bool,
    /// Recipients are pending only because a transaction takes no more of them: the next transaction follows at once.
    pub goes_on: bool,
    /// How many recipients the server takes in a transaction, if the report shows it.
    pub most: Option<usize>,
}

/// The circumstances of an attempt.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug, Clone, Copy)]
pub struct Chances<'a> {
    /// The recipients of this transaction: all pending ones, or some of them.
    pub to: &'a [String],
    /// When to try again after a temporary failure.
    pub retry_at: Timestamp,
    /// The portal's relay may take over when the profile fails.
    pub may_fall_back: bool,
    /// Other pending recipients were left out of this transaction, and have had none yet.
    pub others: bool,
    /// A transaction that settled no recipient may be retried at once: with fewer recipients, or with others.
    pub may_split: bool,
    /// The connection already carried a transaction of this message: a refusal of all recipients may be a connection
    /// limit.
    pub same_connection: bool,
    pub now: Timestamp,
}

/// Judges one attempt.
pub fn judge(row: &StoredMessage, report: &Report, chances: Chances<'_>) -> Judgement {
    let mut report = report.clone();
    // An unsolicited reply is not about this message: retry on a new connection.
    report.retryable |= is_about_the_way(&report) || report.finding == Some(Finding::UnaskedReply);
    let report = &report;
    let signal = health_signal(report);
    let failed_by_itself = matches!(signal, Some(HealthSignal::Failed(_)));
    let fallback = chances.may_fall_back && failed_by_itself && report.verdict == Verdict::Failed;
    // The recipient whose reply is missing.
    let asked = chances.to.get(report.recipients.len()).map(String::as_str);
    let mut recipients = row.recipients.clone();
    for recipient in recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
        let takes_part = chances.to.contains(&recipient.address);
        settle(recipient, report, asked, (takes_part, fallback));
    }
    let most = most_recipients(report, chances.to.len());
    let waits = count(&recipients, RecipientState::Pending) > 0;
    let goes_on = waits && !fallback && goes_on(&row.recipients, &recipients, report, chances, most);
    let next_at = if fallback || goes_on { chances.now } else { chances.retry_at };
    // A continuation runs even past the expiry: the earlier recipients had their transaction.
    if next_at >= row.expires_at && !goes_on {
        give_up(&mut recipients, report.cause, Some(report.stage));
    }
    // That a transaction was too large says nothing about the profile.
    let signal = signal.filter(|_| !goes_on || report.verdict == Verdict::Accepted);
    let status = status_of(&recipients);
    let state = status.state;
    let outcome = match (report.verdict, state) {
        (Verdict::DeliveryUnknown, _) => AttemptOutcome::DeliveryUnknown,
        (Verdict::Accepted, MessageState::Deferred) => AttemptOutcome::PartlyAccepted,
        (Verdict::Accepted | Verdict::DryRunOk, _) if all_of_this_one_accepted(report) => AttemptOutcome::Accepted,
        (Verdict::Accepted | Verdict::DryRunOk, _) => AttemptOutcome::PartlyAccepted,
        (Verdict::Failed, MessageState::Deferred) if !fallback || report.retryable => AttemptOutcome::Deferred,
        (Verdict::Failed, _) => AttemptOutcome::Failed,
    };
    Judgement {
        status,
        outcome,
        recipients,
        next_at: (!state.is_final()).then_some(next_at),
        fallback: row.fallback || fallback,
        signal,
        // A permanent refusal needs no back-off: the next message meets it at once, and the third one of a kind breaks
        // the profile. Temporary failures need one.
        trouble: report.verdict == Verdict::Failed && report.retryable && failed_by_itself && !goes_on,
        goes_on,
        most,
    }
}

fn count(recipients: &[Recipient], state: RecipientState) -> usize {
    recipients.iter().filter(|recipient| recipient.state == state).count()
}

/// Whether pending recipients get another transaction at once (RFC 5321 §4.5.3.1.10). They do if some are pending
/// because this transaction took no more or did not name them, and it settled at least one recipient, so the loop ends.
///
/// If it settled none, there is another one as often as `may_split` allows, in three cases: it was too large
/// (`smaller`); every recipient in it was deferred for a reason of its own, and others have not been named yet; or the
/// connection reached its limit.
fn goes_on(
    before: &[Recipient],
    after: &[Recipient],
    report: &Report,
    chances: Chances<'_>,
    smaller: Option<usize>,
) -> bool {
    let waiting = count(after, RecipientState::Pending);
    let progress = waiting < count(before, RecipientState::Pending);
    let over = |one: &RecipientResult| !one.accepted && one.cause == Some(Cause::TooManyRecipients);
    let over = chances.others || report.recipients.iter().any(over);
    match report.verdict {
        Verdict::Accepted => progress && over,
        Verdict::Failed => {
            let fruitless = smaller.is_some()
                || (chances.others && are_told_to_come_back(report, chances.to))
                || (chances.same_connection && takes_nobody_any_more(report));
            (progress && over && report.stage >= Stage::RcptTo) || (waiting > 0 && fruitless && chances.may_split)
        }
        Verdict::DeliveryUnknown | Verdict::DryRunOk => false,
    }
}

/// Whether every recipient of a transaction was refused for now, and none of them because of a recipient limit.
fn are_told_to_come_back(report: &Report, to: &[String]) -> bool {
    let told = |one: &&RecipientResult| !one.accepted && one.retryable && one.cause != Some(Cause::TooManyRecipients);
    report.stage == Stage::RcptTo && report.recipients.iter().filter(told).count() == to.len()
}

/// Whether a server refused every recipient for now, for a reason that is not the recipient's.
pub fn takes_nobody_any_more(report: &Report) -> bool {
    let for_no_reason = |one: &RecipientResult| {
        !one.accepted && one.retryable && matches!(one.cause, Some(Cause::TooManyRecipients | Cause::ServerBusy))
    };
    report.verdict == Verdict::Failed
        && report.stage == Stage::RcptTo
        && !report.recipients.is_empty()
        && report.recipients.iter().all(for_no_reason)
}

/// How many recipients the server takes in one transaction, if the report of one with `tried` recipients shows it.
pub fn most_recipients(report: &Report, tried: usize) -> Option<usize> {
    let taken = report.recipients.iter().filter(|one| one.accepted).count();
    let over = |one: &RecipientResult| !one.accepted && one.cause == Some(Cause::TooManyRecipients);
    let most = match report.verdict {
        Verdict::Accepted => {
            let first = report.recipients.iter().position(over)?;
            // A later recipient was accepted, so the refusal was about that one recipient.
            let only = !report.recipients[first..].iter().any(|one| one.accepted);
            only.then_some(taken)?
        }
        // It hung up on one recipient too many, with a reply or without.
        Verdict::Failed if report.stage >= Stage::RcptTo && is_a_farewell(report) => taken,
        Verdict::Failed if hung_up(report) && report.cause == Some(Cause::ConnectionLost) => taken,
        // It gets slower with each recipient, or the time was too short for all.
        Verdict::Failed if hung_up(report) && report.cause == Some(Cause::Timeout) => taken.div_ceil(2),
        // It refused after it had accepted all of them, or already at the sender.
        Verdict::Failed if report.cause == Some(Cause::TooManyRecipients) && report.stage != Stage::RcptTo => tried / 2,
        _ => return None,
    };
    (most > 0 && most < tried).then_some(most)
}

fn is_a_farewell(report: &Report) -> bool {
    report.reply.as_deref().is_some_and(|words| words.starts_with("421"))
}

/// Whether the server stopped replying while the recipients were named.
fn hung_up(report: &Report) -> bool {
    report.verdict == Verdict::Failed && report.stage == Stage::RcptTo && report.reply.is_none()
}

/// Whether the failure is about the way to the server, or its greeting, and no command was refused. A test reports that
/// at once; a message waits, because such failures are fixed or pass, and the message itself is fine.
fn is_about_the_way(report: &Report) -> bool {
    let refused = report.reply.as_deref().is_some_and(|words| words.starts_with('5'));
    let guarded = matches!(report.cause, Some(Cause::HostInvalid | Cause::HostNotAllowed | Cause::PortNotAllowed));
    report.verdict == Verdict::Failed && report.stage < Stage::Auth && !refused && !guarded
}

fn all_of_this_one_accepted(report: &Report) -> bool {
    report.recipients.iter().all(|recipient| recipient.accepted)
}

/// Applies the report to one pending recipient. `takes_part`: it was in this transaction. A failure before the
/// recipients were named also applies to those of the next transaction; a later failure does not.
fn settle(recipient: &mut Recipient, report: &Report, asked: Option<&str>, (takes_part, fallback): (bool, bool)) {
    let own = report.recipients.iter().find(|result| result.address == recipient.address);
    let refused = own.filter(|result| !result.accepted);
    if let Some(refused) = refused {
        (recipient.cause, recipient.reply) = (refused.cause.or(Some(Cause::Unknown)), refused.reply.clone());
        recipient.stage = Some(Stage::RcptTo);
        if !refused.retryable && !fallback {
            recipient.state = RecipientState::Failed;
        }
        return;
    }
    if !takes_part && (report.verdict != Verdict::Failed || report.stage >= Stage::RcptTo) {
        if recipient.cause.is_none() {
            (recipient.cause, recipient.stage) = (Some(Cause::TooManyRecipients), Some(Stage::RcptTo));
        }
        return;
    }
    recipient.stage = Some(report.stage);
    (recipient.cause, recipient.reply) = (report.cause, report.reply.clone());
    if hung_up(report) && asked != Some(recipient.address.as_str()) {
        // The server did not hang up on this recipient: it comes first next time.
        recipient.stage = Some(Stage::MailFrom);
    }
    match report.verdict {
        Verdict::Accepted => {
            recipient.state = RecipientState::Accepted;
            recipient.cause = None;
        }
        Verdict::DeliveryUnknown => recipient.state = RecipientState::DeliveryUnknown,
        Verdict::Failed | Verdict::DryRunOk => {
            recipient.cause = report.cause.or(Some(Cause::Unknown));
            if !report.retryable && !fallback {
                recipient.state = RecipientState::Failed;
            }
        }
    }
}

/// What a report says about the health of the profile it went through.
pub fn health_signal(report: &Report) -> Option<HealthSignal> {
    match (report.verdict, report.cause) {
        (Verdict::Accepted, _) => Some(HealthSignal::Sent),
        (Verdict::DryRunOk, _) => Some(HealthSignal::Well),
        (Verdict::DeliveryUnknown, _) => None,
        (Verdict::Failed, None) => Some(HealthSignal::Failed(Cause::Unknown)),
        // Login worked; the refusal concerns the recipient.
        (Verdict::Failed, Some(Cause::RecipientRejected | Cause::RecipientMailboxFull | Cause::Greylisted)) => {
            (report.stage >= Stage::RcptTo).then_some(HealthSignal::Well)
        }
        // An unexplained refusal of a recipient may be about the recipient.
        (Verdict::Failed, Some(Cause::ServerBusy | Cause::Unknown)) if report.stage == Stage::RcptTo => None,
        (Verdict::Failed, Some(cause)) if is_about_the_message(cause) => None,
        (Verdict::Failed, Some(cause)) => Some(HealthSignal::Failed(cause)),
    }
}

/// The back-off after this many tries: `first`, then twice as long each time, at most `longest`. `spread` (0 to 1)
/// makes it up to a fifth shorter or longer, so that messages that failed together are not retried together.
pub fn wait(tries: u32, first: Duration, longest: Duration, spread: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(u32::MAX));
    doubled.min(longest).mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0))
}
