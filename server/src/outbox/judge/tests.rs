//! Every way an attempt can end.

use super::*;
use crate::store::{contract::stored, outbox::RecipientKind};

mod consistent;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn row(addresses: &[&str]) -> StoredMessage {
    let recipient = |address: &&str| Recipient {
        address: (*address).to_owned(),
        kind: RecipientKind::To,
        state: RecipientState::Pending,
        cause: None,
        reply: None,
        stage: None,
    };
    let recipients = addresses.iter().map(recipient).collect();
    StoredMessage { expires_at: at(86_400), ..stored(MessageState::Sending, recipients) }
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

fn judged(row: &StoredMessage, report: &Report, may_fall_back: bool) -> Judgement {
    let to: Vec<String> = row.recipients.iter().map(|recipient| recipient.address.clone()).collect();
    judge(row, report, chances(&to, may_fall_back))
}

fn chances(to: &[String], may_fall_back: bool) -> Chances<'_> {
    Chances {
        to,
        retry_at: at(LATER),
        may_fall_back,
        others: false,
        may_split: true,
        same_connection: false,
        now: at(100),
    }
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
    assert_eq!((one.status.state, one.outcome), (MessageState::Deferred, AttemptOutcome::PartlyAccepted));
    assert_eq!((one.next_at, one.signal), (Some(at(LATER)), Some(HealthSignal::Sent)));
    // The second try is for the pending recipients, and its failure does not touch the others.
    let again = StoredMessage { recipients: one.recipients, ..row };
    let mut second = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
    second.recipients = vec![result("b@x.example", false, false)];
    let two = judged(&again, &second, false);
    assert_eq!(states(&two), [Accepted, Failed, Failed]);
    assert_eq!((two.status.state, two.outcome), (MessageState::Accepted, AttemptOutcome::Failed));
}

#[test]
fn transient_is_tried_again_permanent_is_not_and_a_day_ends() {
    let row = row(&["a@x.example"]);
    let busy = report(Verdict::Failed, Stage::Greeting, Some(Cause::ServerBusy), true);
    let deferred = judged(&row, &busy, false);
    assert_eq!((deferred.status.state, deferred.trouble), (MessageState::Deferred, true));
    assert_eq!(deferred.signal, Some(HealthSignal::Failed(Cause::ServerBusy)));
    let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
    let failed = judged(&row, &refused, false);
    assert_eq!((failed.status.state, failed.next_at, failed.trouble), (MessageState::Failed, None, false));
    let old = StoredMessage { expires_at: at(LATER), ..row };
    assert_eq!(judged(&old, &busy, false).status.state, MessageState::Failed);
}

#[test]
fn a_door_that_is_not_what_it_should_be_is_tried_again() {
    let row = row(&["a@x.example"]);
    let state = |stage, cause, reply: &str| {
        let mut report = report(Verdict::Failed, stage, Some(cause), false);
        report.reply = (!reply.is_empty()).then(|| reply.to_owned());
        judged(&row, &report, false).status.state
    };
    assert_eq!(state(Stage::Tls, Cause::CertExpired, ""), MessageState::Deferred);
    assert_eq!(state(Stage::Greeting, Cause::NotSubmissionServer, ""), MessageState::Deferred);
    assert_eq!(state(Stage::Greeting, Cause::IpBlocked, "554 no"), MessageState::Failed);
    assert_eq!(state(Stage::Resolve, Cause::HostNotAllowed, ""), MessageState::Failed);
    let busy = judged(&row, &report(Verdict::Failed, Stage::RcptTo, Some(Cause::ServerBusy), true), true);
    assert_eq!(
        (busy.status.state, busy.signal, busy.trouble, busy.fallback),
        (MessageState::Deferred, None, false, false)
    );
    assert_eq!(state(Stage::Auth, Cause::AuthMechanismUnsupported, ""), MessageState::Failed);
}

#[test]
fn after_the_dot_nothing_is_sent_again() {
    let row = row(&["a@x.example", "b@x.example"]);
    let mut lost = report(Verdict::DeliveryUnknown, Stage::Data, Some(Cause::ConnectionLost), false);
    lost.recipients = vec![result("a@x.example", true, false), result("b@x.example", false, false)];
    let judgement = judged(&row, &lost, true);
    assert_eq!(states(&judgement), [RecipientState::DeliveryUnknown, RecipientState::Failed]);
    assert_eq!((judgement.status.state, judgement.signal), (MessageState::DeliveryUnknown, None));
    assert!(!judgement.fallback);
}

#[test]
fn the_relay_takes_over_what_the_profile_cannot_send_and_nothing_else() {
    let row = row(&["a@x.example"]);
    let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
    let judgement = judged(&row, &refused, true);
    assert_eq!((judgement.status.state, judgement.fallback), (MessageState::Deferred, true));
    assert_eq!((judgement.next_at, judgement.outcome), (Some(at(100)), AttemptOutcome::Failed));
    assert_eq!(judgement.signal, Some(HealthSignal::Failed(Cause::BadCredentials)), "the failure is not hidden");
    let unknown = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
    let judgement = judged(&row, &unknown, true);
    assert_eq!(
        (judgement.status.state, judgement.fallback, judgement.signal),
        (MessageState::Failed, false, Some(HealthSignal::Well))
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

#[test]
fn the_retry_of_one_recipient_that_fails_for_the_password_does_not_make_the_message_contradict_itself() {
    let row = row(&["a@x.example", "b@x.example", "c@x.example"]);
    let mut first = report(Verdict::Accepted, Stage::Data, None, false);
    first.reply = Some("250 ok".to_owned());
    first.recipients = vec![
        result("a@x.example", true, false),
        result("b@x.example", false, true),
        result("c@x.example", false, false),
    ];
    let one = judged(&row, &first, false);
    assert_eq!((one.status.state, one.status.cause), (MessageState::Deferred, Some(Cause::RecipientRejected)));
    let again = StoredMessage { recipients: one.recipients, ..row };
    let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
    let two = judged(&again, &refused, false);
    assert_eq!(
        two.status,
        MessageStatus {
            state: MessageState::Accepted,
            stage: Some(Stage::Data),
            cause: None,
            reply: Some("250 ok".to_owned())
        }
    );
    assert_eq!((two.recipients[1].cause, two.recipients[1].stage), (Some(Cause::BadCredentials), Some(Stage::Auth)));
}

fn over(address: &str) -> RecipientResult {
    RecipientResult { cause: Some(Cause::TooManyRecipients), ..result(address, false, true) }
}

#[test]
fn who_is_over_the_limit_of_a_transaction_has_the_next_one_as_long_as_somebody_is_settled() {
    use RecipientState::{Accepted, Failed, Pending};
    let row = row(&["a@x.example", "b@x.example", "c@x.example"]);
    let mut taken = report(Verdict::Accepted, Stage::Data, None, false);
    taken.recipients = vec![result("a@x.example", true, false), over("b@x.example"), over("c@x.example")];
    let judgement = judged(&row, &taken, false);
    assert_eq!(states(&judgement), [Accepted, Pending, Pending]);
    assert_eq!((judgement.goes_on, judgement.most, judgement.next_at), (true, Some(1), Some(at(100))));
    // Even when the time to try ended meanwhile: a limit that ends with the next transaction fails no recipient.
    let late = judged(&StoredMessage { expires_at: at(99), ..row.clone() }, &taken, false);
    assert_eq!((late.goes_on, late.status.state), (true, judgement.status.state));
    // No recipient is accepted: the message waits for its back-off.
    let mut none = report(Verdict::Failed, Stage::RcptTo, Some(Cause::TooManyRecipients), true);
    none.recipients = vec![over("a@x.example"), over("b@x.example"), over("c@x.example")];
    let judgement = judged(&row, &none, false);
    assert_eq!((judgement.goes_on, judgement.most, judgement.next_at), (false, None, Some(at(LATER))));
    // The refusal was about one recipient: no limit is learnt.
    taken.recipients =
        vec![result("a@x.example", true, false), over("b@x.example"), result("c@x.example", true, false)];
    let judgement = judged(&row, &taken, false);
    assert_eq!(
        (judgement.goes_on, judgement.most, states(&judgement)),
        (true, None, vec![Accepted, Pending, Accepted])
    );
    // Some recipients are refused for good: that does not touch the others.
    let mut part = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
    part.recipients = vec![result("a@x.example", false, false)];
    let judgement = judge(&row, &part, Chances { others: true, ..chances(&["a@x.example".to_owned()], false) });
    assert_eq!((states(&judgement), judgement.goes_on), (vec![Failed, Pending, Pending], true));
    // The password concerns every recipient.
    let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
    let judgement = judge(&row, &refused, Chances { others: true, ..chances(&["a@x.example".to_owned()], false) });
    assert_eq!((states(&judgement), judgement.goes_on), (vec![Failed, Failed, Failed], false));
}

/// The cause of an earlier attempt does not keep the recipients that were left out waiting.
#[test]
fn who_was_left_out_has_the_next_transaction_whatever_it_met_before() {
    let mut row = row(&["a@x.example", "b@x.example", "c@x.example"]);
    for recipient in &mut row.recipients {
        (recipient.cause, recipient.stage) = (Some(Cause::ServerBusy), Some(Stage::MailFrom));
    }
    let mut taken = report(Verdict::Accepted, Stage::Data, None, false);
    taken.recipients = vec![result("a@x.example", true, false)];
    let to = ["a@x.example".to_owned()];
    let judgement = judge(&row, &taken, Chances { others: true, ..chances(&to, false) });
    assert_eq!((judgement.goes_on, judgement.next_at), (true, Some(at(100))));
    // A recipient that took part and was deferred waits.
    taken.recipients.push(result("b@x.example", false, true));
    taken.recipients.push(result("c@x.example", false, true));
    assert!(!judged(&row, &taken, false).goes_on);
}

#[test]
fn an_answer_out_of_place_is_a_verdict_on_nobody() {
    let row = row(&["a@x.example", "b@x.example"]);
    let mut shifted = report(Verdict::Failed, Stage::Data, Some(Cause::ProtocolError), false);
    shifted.finding = Some(Finding::UnaskedReply);
    let judgement = judged(&row, &shifted, false);
    assert_eq!(states(&judgement), [RecipientState::Pending; 2]);
    assert_eq!((judgement.status.state, judgement.next_at), (MessageState::Deferred, Some(at(LATER))));
}

#[test]
fn a_transaction_that_was_too_large_is_had_again_with_fewer() {
    let row = row(&["a@x.example", "b@x.example", "c@x.example", "d@x.example"]);
    let mut gone = report(Verdict::Failed, Stage::RcptTo, Some(Cause::ServerBusy), true);
    gone.reply = Some("421 4.7.0 too many recipients".to_owned());
    gone.recipients = vec![result("a@x.example", true, false)];
    let judgement = judged(&row, &gone, false);
    assert_eq!((judgement.goes_on, judgement.most, judgement.trouble), (true, Some(1), false));
    let too_often = Chances { may_split: false, ..chances(&[], false) };
    let to: Vec<String> = row.recipients.iter().map(|recipient| recipient.address.clone()).collect();
    assert!(!judge(&row, &gone, Chances { to: &to, ..too_often }).goes_on);
    gone.recipients.clear();
    assert!(!judged(&row, &gone, false).goes_on, "it accepted no recipient");
    // All were named and accepted, and then it says that they are too many.
    let mut late = report(Verdict::Failed, Stage::Data, Some(Cause::TooManyRecipients), true);
    late.recipients = row.recipients.iter().map(|one| result(&one.address, true, false)).collect();
    assert_eq!(judged(&row, &late, false).most, Some(2));
}
