//! Every way an attempt can end.

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
    assert_eq!((judgement.state, judgement.fallback, judgement.sign), (MessageState::Failed, false, Some(Sign::Well)));
}

#[test]
fn waits_double_up_to_the_longest_and_spread() {
    let (first, longest) = (Duration::from_secs(60), Duration::from_secs(7_200));
    let waits: Vec<u64> = (1..=9).map(|tries| wait(tries, first, longest, 0.5).as_secs()).collect();
    assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_840, 7_200, 7_200]);
    assert_eq!(wait(1, first, longest, 0.0), Duration::from_secs(48));
    assert_eq!(wait(u32::MAX, first, longest, 1.0), Duration::from_secs(8_640));
}
