//! For every report, a message and its event agree with the message's recipients.

use proptest::prelude::*;

use super::*;

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
        let others = waiting.len() > to.len();
        let judgement = judge(&row, &told, Chances { others, may_split, ..chances(to, may_fall_back) });
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
            let end = of(RecipientState::Pending) < waiting.len() || (may_split && (smaller || others));
            prop_assert!(end, "the loop ends");
        }
        // The event agrees.
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
