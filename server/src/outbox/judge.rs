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

#[cfg(test)]
mod tests {
    use app::{session::AccountId, test_run::report::RecipientResult};
    use uuid::Uuid;

    use super::*;
    use crate::store::outbox::{Lane, RecipientKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn row(addresses: &[&str]) -> MessageRow {
        MessageRow {
            id: Uuid::nil(),
            lane: Lane { account: AccountId { portal: "p".to_owned(), account: "a".to_owned() }, user: None },
            message_id: String::new(),
            reference: None,
            subject: String::new(),
            size: 0,
            recipients: addresses
                .iter()
                .map(|address| Recipient {
                    address: (*address).to_owned(),
                    kind: RecipientKind::To,
                    state: RecipientState::Pending,
                    cause: None,
                    reply: None,
                })
                .collect(),
            state: MessageState::Sending,
            stage: None,
            cause: None,
            reply: None,
            profile: None,
            fallback: false,
            tries: 0,
            created_at: at(0),
            updated_at: at(0),
            expires_at: at(86_400),
            next_at: None,
            lease_owner: None,
            ending_at: None,
            finished_at: None,
        }
    }

    fn report(verdict: Verdict, stage: Stage, cause: Option<Cause>, retryable: bool) -> Report {
        serde_json::from_value(serde_json::json!({
            "verdict": verdict, "stage": stage, "cause": cause, "retryable": retryable, "reply": "the words",
            "round_trips": 1, "queue_id": null, "capabilities": [], "tls": null, "recipients": [], "stages": [],
            "transcript": [],
        }))
        .unwrap()
    }

    fn result(address: &str, accepted: bool, retryable: bool) -> RecipientResult {
        let cause = (!accepted).then_some(Cause::RecipientRejected);
        RecipientResult { address: address.to_owned(), accepted, cause, retryable, reply: None }
    }

    const LATER: i64 = 160;

    fn judged(row: &MessageRow, report: &Report, may_fall_back: bool) -> Judgement {
        judge(row, report, Chances { retry_at: at(LATER), may_fall_back, now: at(100) })
    }

    fn states(judgement: &Judgement) -> Vec<RecipientState> {
        judgement.recipients.iter().map(|recipient| recipient.state).collect()
    }

    #[test]
    fn each_recipient_goes_its_own_way() {
        use RecipientState::{Accepted, Failed, Pending};
        let row = row(&["a@x.example", "b@x.example", "c@x.example"]);
        let mut first = report(Verdict::Accepted, Stage::Data, None, false);
        first.recipients = vec![
            result("a@x.example", true, false),
            result("b@x.example", false, true),
            result("c@x.example", false, false),
        ];
        let one = judged(&row, &first, false);
        assert_eq!(states(&one), [Accepted, Pending, Failed]);
        assert_eq!((one.state, one.outcome), (MessageState::Deferred, AttemptOutcome::PartlyAccepted));
        assert_eq!((one.next_at, one.sign), (Some(at(LATER)), Some(Sign::Sent)));
        // The second try is for those who wait, and a failure of it does not touch the others.
        let again = MessageRow { recipients: one.recipients, ..row };
        let mut second = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
        second.recipients = vec![result("b@x.example", false, false)];
        let two = judged(&again, &second, false);
        assert_eq!(states(&two), [Accepted, Failed, Failed]);
        assert_eq!((two.state, two.outcome), (MessageState::Accepted, AttemptOutcome::Failed));
    }

    #[test]
    fn transient_is_tried_again_permanent_is_not_and_a_day_ends() {
        let row = row(&["a@x.example"]);
        let busy = report(Verdict::Failed, Stage::Greeting, Some(Cause::ServerBusy), true);
        let deferred = judged(&row, &busy, false);
        assert_eq!((deferred.state, deferred.trouble), (MessageState::Deferred, true));
        assert_eq!(deferred.sign, Some(Sign::Failed(Cause::ServerBusy)));
        let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
        let failed = judged(&row, &refused, false);
        assert_eq!((failed.state, failed.next_at, failed.trouble), (MessageState::Failed, None, false));
        let old = MessageRow { expires_at: at(LATER), ..row };
        assert_eq!(judged(&old, &busy, false).state, MessageState::Failed);
    }

    #[test]
    fn a_door_that_is_not_what_it_should_be_is_tried_again() {
        let row = row(&["a@x.example"]);
        let state = |stage, cause, reply: &str| {
            let mut report = report(Verdict::Failed, stage, Some(cause), false);
            report.reply = (!reply.is_empty()).then(|| reply.to_owned());
            judged(&row, &report, false).state
        };
        assert_eq!(state(Stage::Tls, Cause::CertExpired, ""), MessageState::Deferred);
        assert_eq!(state(Stage::Greeting, Cause::NotSubmissionServer, ""), MessageState::Deferred);
        assert_eq!(state(Stage::Greeting, Cause::IpBlocked, "554 no"), MessageState::Failed);
        assert_eq!(state(Stage::Resolve, Cause::HostNotAllowed, ""), MessageState::Failed);
        let busy = judged(&row, &report(Verdict::Failed, Stage::RcptTo, Some(Cause::ServerBusy), true), true);
        assert_eq!((busy.state, busy.sign, busy.trouble, busy.fallback), (MessageState::Deferred, None, false, false));
        assert_eq!(state(Stage::Auth, Cause::AuthMechanismUnsupported, ""), MessageState::Failed);
    }

    #[test]
    fn after_the_dot_nothing_is_sent_again() {
        let row = row(&["a@x.example", "b@x.example"]);
        let mut lost = report(Verdict::DeliveryUnknown, Stage::Data, Some(Cause::ConnectionLost), false);
        lost.recipients = vec![result("a@x.example", true, false), result("b@x.example", false, false)];
        let judgement = judged(&row, &lost, true);
        assert_eq!(states(&judgement), [RecipientState::DeliveryUnknown, RecipientState::Failed]);
        assert_eq!((judgement.state, judgement.sign), (MessageState::DeliveryUnknown, None));
        assert!(!judgement.fallback);
    }

    #[test]
    fn the_relay_takes_over_what_the_profile_cannot_send_and_nothing_else() {
        let row = row(&["a@x.example"]);
        let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
        let judgement = judged(&row, &refused, true);
        assert_eq!((judgement.state, judgement.fallback), (MessageState::Deferred, true));
        assert_eq!((judgement.next_at, judgement.outcome), (Some(at(100)), AttemptOutcome::Failed));
        assert_eq!(judgement.sign, Some(Sign::Failed(Cause::BadCredentials)), "it is not hidden");
        let unknown = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
        let judgement = judged(&row, &unknown, true);
        assert_eq!(
            (judgement.state, judgement.fallback, judgement.sign),
            (MessageState::Failed, false, Some(Sign::Well))
        );
    }

    #[test]
    fn waits_double_up_to_the_longest_and_spread() {
        let (first, longest) = (Duration::from_secs(60), Duration::from_secs(7_200));
        let waits: Vec<u64> = (1..=9).map(|tries| wait(tries, first, longest, 0.5).as_secs()).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_840, 7_200, 7_200]);
        assert_eq!(wait(1, first, longest, 0.0), Duration::from_secs(48));
        assert_eq!(wait(u32::MAX, first, longest, 1.0), Duration::from_secs(8_640));
    }
}
