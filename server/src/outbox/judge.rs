//! Server side. From the report of a conversation to what becomes of each recipient, and so of the message. Nothing here
//! waits or writes.

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

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub status: MessageStatus,
    pub outcome: AttemptOutcome,
    pub recipients: Vec<Recipient>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// Through the relay from now on.
    pub fallback: bool,
    /// What it tells of the profile.
    pub signal: Option<HealthSignal>,
    /// The server is to be left alone for a while.
    pub trouble: bool,
    /// Recipients wait only because a transaction takes no more of them: they have the next one, now.
    pub goes_on: bool,
    /// How many recipients the server takes in a transaction, where the report shows it.
    pub most: Option<usize>,
}

/// How a message may go on.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Debug, Clone, Copy)]
pub struct Chances<'a> {
    /// The recipients of this transaction: all who waited, or some of them.
    pub to: &'a [String],
    /// The moment after a refusal for now.
    pub retry_at: Timestamp,
    /// A relay may take over when the profile fails.
    pub may_fall_back: bool,
    /// Others who wait were left out of this transaction, and have had none yet.
    pub others: bool,
    /// After a transaction that came to nothing there may be another one now: with fewer recipients, or with others.
    pub may_split: bool,
    /// The connection has carried a transaction of this message: what refuses everybody may be a limit of the connection.
    pub same_connection: bool,
    pub now: Timestamp,
}

/// Judges one attempt.
pub fn judge(row: &StoredMessage, report: &Report, chances: Chances<'_>) -> Judgement {
    let mut report = report.clone();
    // What came unasked says nothing of the message: it waits, and is tried over another connection.
    report.retryable |= is_about_the_way(&report) || report.finding == Some(Finding::UnaskedReply);
    let report = &report;
    let signal = health_signal(report);
    let failed_by_itself = matches!(signal, Some(HealthSignal::Failed(_)));
    let fallback = chances.may_fall_back && failed_by_itself && report.verdict == Verdict::Failed;
    // Whose answer did not come.
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
    // Whoever has the next transaction at once has it, even when the time has just passed: the others had theirs.
    if next_at >= row.expires_at && !goes_on {
        give_up(&mut recipients, report.cause, Some(report.stage));
    }
    // What a transaction was too large for says nothing of the profile.
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
        // A refusal for good is no reason to wait: the next message learns of it at once, and the third one of a kind
        // ends it. What passes by itself is waited for.
        trouble: report.verdict == Verdict::Failed && report.retryable && failed_by_itself && !goes_on,
        goes_on,
        most,
    }
}

fn count(recipients: &[Recipient], state: RecipientState) -> usize {
    recipients.iter().filter(|recipient| recipient.state == state).count()
}

/// Whether those who still wait have another transaction at once (RFC 5321 §4.5.3.1.10): somebody waits because this one
/// took no more, or because it was not named, and the transaction settled somebody, so there is an end to it.
///
/// When it settled nobody there is another one as often as `may_split` allows: it was too large (`smaller`); its recipients
/// were told to come back, each for itself, and others have not been named yet; or the connection has carried what it may.
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

/// Whether everybody of a transaction was refused for now, and none of them because they were too many.
fn are_told_to_come_back(report: &Report, to: &[String]) -> bool {
    let told = |one: &&RecipientResult| !one.accepted && one.retryable && one.cause != Some(Cause::TooManyRecipients);
    report.stage == Stage::RcptTo && report.recipients.iter().filter(told).count() == to.len()
}

/// Whether a server refused everybody for now, for no reason of theirs.
pub fn takes_nobody_any_more(report: &Report) -> bool {
    let for_no_reason = |one: &RecipientResult| {
        !one.accepted && one.retryable && matches!(one.cause, Some(Cause::TooManyRecipients | Cause::ServerBusy))
    };
    report.verdict == Verdict::Failed
        && report.stage == Stage::RcptTo
        && !report.recipients.is_empty()
        && report.recipients.iter().all(for_no_reason)
}

/// How many recipients the server takes in one transaction, as far as a report of one with `tried` of them shows it.
pub fn most_recipients(report: &Report, tried: usize) -> Option<usize> {
    let taken = report.recipients.iter().filter(|one| one.accepted).count();
    let over = |one: &RecipientResult| !one.accepted && one.cause == Some(Cause::TooManyRecipients);
    let most = match report.verdict {
        Verdict::Accepted => {
            let first = report.recipients.iter().position(over)?;
            // Somebody was taken after that: it was about the one recipient.
            let only = !report.recipients[first..].iter().any(|one| one.accepted);
            only.then_some(taken)?
        }
        // It hung up on one recipient too many, with a word or without.
        Verdict::Failed if report.stage >= Stage::RcptTo && is_a_farewell(report) => taken,
        Verdict::Failed if hung_up(report) && report.cause == Some(Cause::ConnectionLost) => taken,
        // It is slower with each of them, or the time was not enough for all.
        Verdict::Failed if hung_up(report) && report.cause == Some(Cause::Timeout) => taken.div_ceil(2),
        // It said so when it had taken all of them, or at the sender already.
        Verdict::Failed if report.cause == Some(Cause::TooManyRecipients) && report.stage != Stage::RcptTo => tried / 2,
        _ => return None,
    };
    (most > 0 && most < tried).then_some(most)
}

fn is_a_farewell(report: &Report) -> bool {
    report.reply.as_deref().is_some_and(|words| words.starts_with("421"))
}

/// Whether the server said nothing more while the recipients were named.
fn hung_up(report: &Report) -> bool {
    report.verdict == Verdict::Failed && report.stage == Stage::RcptTo && report.reply.is_none()
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

/// Moves one recipient that waits. `takes_part`: it was one of this transaction. What stopped the transaction before its
/// recipients were named stops those of the next one too; what came later does not.
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
        // It was not this one that the server hung up on: next time this one comes first.
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

/// What a report tells of the profile it went through.
pub fn health_signal(report: &Report) -> Option<HealthSignal> {
    match (report.verdict, report.cause) {
        (Verdict::Accepted, _) => Some(HealthSignal::Sent),
        (Verdict::DryRunOk, _) => Some(HealthSignal::Well),
        (Verdict::DeliveryUnknown, _) => None,
        (Verdict::Failed, None) => Some(HealthSignal::Failed(Cause::Unknown)),
        // It was let in, and heard about the recipient.
        (Verdict::Failed, Some(Cause::RecipientRejected | Cause::RecipientMailboxFull | Cause::Greylisted)) => {
            (report.stage >= Stage::RcptTo).then_some(HealthSignal::Well)
        }
        // What is said to a recipient for no reason that we know may be about the recipient.
        (Verdict::Failed, Some(Cause::ServerBusy | Cause::Unknown)) if report.stage == Stage::RcptTo => None,
        (Verdict::Failed, Some(cause)) if is_about_the_message(cause) => None,
        (Verdict::Failed, Some(cause)) => Some(HealthSignal::Failed(cause)),
    }
}

/// How long to wait after so many tries: `first`, then twice as long each time, `longest` at most; `spread` from 0 to 1
/// makes it up to a fifth shorter or longer, so that what failed together does not come back together.
pub fn wait(tries: u32, first: Duration, longest: Duration, spread: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(u32::MAX));
    doubled.min(longest).mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0))
}
