//! Every way an attempt can end.

use app::session::AccountId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::store::outbox::{Lane, RecipientKind};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn row(addresses: &[&str]) -> StoredMessage {
    StoredMessage {
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
                stage: None,
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
        lease_token: None,
        ending_at: None,
        ending_to: None,
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

fn judged(row: &StoredMessage, report: &Report, may_fall_back: bool) -> Judgement {
    let to: Vec<String> = row.recipients.iter().map(|recipient| recipient.address.clone()).collect();
    judge(row, report, chances(&to, may_fall_back))
}

fn chances(to: &[String], may_fall_back: bool) -> Chances<'_> {
    Chances { to, retry_at: at(LATER), may_fall_back, may_split: true, now: at(100) }
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
    // The second try is for those who wait, and a failure of it does not touch the others.
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
    assert_eq!(judgement.signal, Some(HealthSignal::Failed(Cause::BadCredentials)), "it is not hidden");
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
    // Nobody is taken: it waits like everything else.
    let mut none = report(Verdict::Failed, Stage::RcptTo, Some(Cause::TooManyRecipients), true);
    none.recipients = vec![over("a@x.example"), over("b@x.example"), over("c@x.example")];
    let judgement = judged(&row, &none, false);
    assert_eq!((judgement.goes_on, judgement.most, judgement.next_at), (false, None, Some(at(LATER))));
    // It was about one recipient: no limit is learnt.
    taken.recipients =
        vec![result("a@x.example", true, false), over("b@x.example"), result("c@x.example", true, false)];
    let judgement = judged(&row, &taken, false);
    assert_eq!(
        (judgement.goes_on, judgement.most, states(&judgement)),
        (true, None, vec![Accepted, Pending, Accepted])
    );
    // A part of them, refused for good: the others are not touched by that.
    let mut part = report(Verdict::Failed, Stage::RcptTo, Some(Cause::RecipientRejected), false);
    part.recipients = vec![result("a@x.example", false, false)];
    let judgement = judge(&row, &part, chances(&["a@x.example".to_owned()], false));
    assert_eq!((states(&judgement), judgement.goes_on), (vec![Failed, Pending, Pending], true));
    // The password is everybody's.
    let refused = report(Verdict::Failed, Stage::Auth, Some(Cause::BadCredentials), false);
    let judgement = judge(&row, &refused, chances(&["a@x.example".to_owned()], false));
    assert_eq!((states(&judgement), judgement.goes_on), (vec![Failed, Failed, Failed], false));
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
    assert!(!judged(&row, &gone, false).goes_on, "it took nobody");
    // All were named, and then it says that they are too many.
    let mut late = report(Verdict::Failed, Stage::Data, Some(Cause::TooManyRecipients), true);
    late.recipients = row.recipients.iter().map(|one| result(&one.address, true, false)).collect();
    assert_eq!(judged(&row, &late, false).most, Some(2));
}

const STATES: [RecipientState; 4] =
    [RecipientState::Pending, RecipientState::Accepted, RecipientState::Failed, RecipientState::DeliveryUnknown];
const STAGES: [Stage; 5] = [Stage::Connect, Stage::Auth, Stage::MailFrom, Stage::RcptTo, Stage::Data];
const CAUSES: [Option<Cause>; 7] = [
    None,
    Some(Cause::BadCredentials),
    Some(Cause::QuotaExceeded),
    Some(Cause::Greylisted),
    Some(Cause::TooManyRecipients),
    Some(Cause::RecipientRejected),
    Some(Cause::MessageRejected),
];
const VERDICTS: [Verdict; 3] = [Verdict::Accepted, Verdict::Failed, Verdict::DeliveryUnknown];

/// A recipient as it can be before an attempt.
fn known(number: usize, state: RecipientState, said: Option<Cause>) -> Recipient {
    let (cause, place) = match state {
        RecipientState::Accepted => (None, Some(Stage::Data)),
        RecipientState::Failed => (said.or(Some(Cause::Unknown)), Some(Stage::RcptTo)),
        RecipientState::Pending | RecipientState::DeliveryUnknown => (said, said.map(|_| Stage::RcptTo)),
    };
    let words = if state == RecipientState::Accepted { "250 ok" } else { "450 later" };
    let reply = place.map(|_| words.to_owned());
    Recipient { address: format!("{number}@x.example"), kind: RecipientKind::To, state, cause, reply, stage: place }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// For every previous state of the recipients, and every report.
    #[test]
    fn a_message_never_contradicts_itself(
        before in prop::collection::vec((prop::sample::select(&STATES[..]), prop::sample::select(&CAUSES[..])), 1..5),
        answers in prop::collection::vec((0..4_u8, any::<bool>(), prop::sample::select(&CAUSES[..])), 5),
        (verdict, stage) in (prop::sample::select(&VERDICTS[..]), prop::sample::select(&STAGES[..])),
        cause in prop::sample::select(&CAUSES[..]),
        (retryable, may_fall_back, old, may_split) in any::<(bool, bool, bool, bool)>(),
        some in 1..5_usize,
    ) {
        let mut recipients: Vec<Recipient> =
            before.iter().enumerate().map(|(number, (state, cause))| known(number, *state, *cause)).collect();
        if recipients.iter().all(|one| one.state != RecipientState::Pending) {
            recipients[0] = known(0, RecipientState::Pending, before[0].1);
        }
        let row = StoredMessage {
            recipients,
            expires_at: if old { at(LATER) } else { at(86_400) },
            ..row(&[])
        };
        let waiting: Vec<String> = row.recipients.iter()
            .filter(|one| one.state == RecipientState::Pending).map(|one| one.address.clone()).collect();
        let to = &waiting[..waiting.len().min(some)];
        let accepted = verdict == Verdict::Accepted;
        let mut told = report(verdict, if accepted { Stage::Data } else { stage }, cause.filter(|_| !accepted), retryable);
        told.reply = Some(if accepted { "250 taken" } else { "451 not now" }.to_owned());
        if told.stage >= Stage::RcptTo {
            told.recipients = to.iter().zip(&answers).filter(|(_, (kind, ..))| accepted || *kind > 0)
                .map(|(address, (kind, retryable, cause))| RecipientResult {
                    address: address.clone(),
                    accepted: *kind > 1,
                    cause: cause.filter(|_| *kind <= 1),
                    retryable: *retryable,
                    reply: Some(if *kind > 1 { "250 ok" } else { "450 no" }.to_owned()),
                }).collect();
        }
        let judgement = judge(&row, &told, Chances { may_split, ..chances(to, may_fall_back) });
        let Judgement { status, recipients, .. } = &judgement;
        let of = |state| recipients.iter().filter(|one| one.state == state).count();
        let decides = |state| recipients.iter().any(|one| {
            one.state == state && (one.cause, &one.reply, one.stage) == (status.cause, &status.reply, status.stage)
        });
        match status.state {
            MessageState::Accepted => {
                prop_assert!(decides(RecipientState::Accepted) && status.cause.is_none());
                prop_assert!(status.reply.as_deref().is_none_or(|words| words.starts_with('2')));
            }
            MessageState::Deferred => prop_assert!(decides(RecipientState::Pending) && status.cause.is_some()),
            MessageState::Failed => prop_assert!(decides(RecipientState::Failed) && status.cause.is_some()),
            MessageState::DeliveryUnknown => prop_assert!(decides(RecipientState::DeliveryUnknown)),
            MessageState::Queued | MessageState::Sending | MessageState::Quarantined => prop_assert!(false, "it was tried: {judgement:?}"),
        }
        prop_assert_eq!(status.state.is_final(), of(RecipientState::Pending) == 0);
        prop_assert_eq!(judgement.next_at.is_some(), !status.state.is_final());
        // Only waiting recipients that took part, or were stopped with the others, change; accepted ones stay accepted.
        for (was, is) in row.recipients.iter().zip(recipients) {
            if was.state != RecipientState::Pending {
                prop_assert_eq!(was, is);
            }
            if is.state == RecipientState::Accepted && was.state != is.state {
                prop_assert!(accepted && to.contains(&is.address));
            }
        }
        if judgement.goes_on {
            let smaller = judgement.most.is_some_and(|most| most < to.len() && most > 0);
            prop_assert!(of(RecipientState::Pending) > 0);
            prop_assert!(of(RecipientState::Pending) < waiting.len() || (may_split && smaller), "there is an end to it");
        }
        // The event says the same.
        let attempt = crate::store::outbox::Attempt {
            at: at(1), duration_ms: 1, via: None, profile: None, outcome: judgement.outcome, stage: Some(told.stage),
            cause: told.cause, reply: None, queue_id: None,
        };
        let event = crate::events::message_finished(&row, status, recipients, &attempt, at(1));
        prop_assert_eq!(event.is_some(), status.state.is_final());
        if let Some(event) = event {
            let event: serde_json::Value = serde_json::from_str(&event.content).unwrap();
            let data = &event["data"];
            let number = |field: &str| usize::try_from(data[field].as_u64().unwrap()).unwrap();
            prop_assert_eq!(number("recipients"), recipients.len());
            prop_assert_eq!(number("recipients_accepted"), of(RecipientState::Accepted));
            prop_assert_eq!(number("recipients_refused"), of(RecipientState::Failed));
            prop_assert_eq!(number("recipients_unknown"), of(RecipientState::DeliveryUnknown));
            prop_assert_eq!(data["refused_causes"].as_array().unwrap().is_empty(), of(RecipientState::Failed) == 0);
            prop_assert_eq!(&data["cause"], &serde_json::json!(status.cause));
            prop_assert_eq!(event["type"] == "message.accepted", status.state == MessageState::Accepted);
        }
    }
}
