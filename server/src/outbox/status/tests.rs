//! The status of a message, and which recipients a resend includes.

use jiff::Timestamp;

use super::*;
use crate::store::{contract::stored, outbox::RecipientKind};

fn recipient(name: &str, state: RecipientState, cause: Option<Cause>) -> Recipient {
    Recipient { address: format!("{name}@x.example"), kind: RecipientKind::To, state, cause, reply: None, stage: None }
}

use RecipientState::{Accepted, DeliveryUnknown, Failed, Pending};

#[test]
fn only_those_who_do_not_have_it_are_sent_it_again() {
    for (state, recipients, expected) in [
        (MessageState::Accepted, vec![Accepted, Failed], Ok(vec![Accepted, Pending])),
        (MessageState::DeliveryUnknown, vec![Accepted, DeliveryUnknown, Failed], Ok(vec![Accepted, Pending, Pending])),
        (MessageState::Failed, vec![Failed], Ok(vec![Pending])),
        (MessageState::Accepted, vec![Accepted, Accepted], Err(ResendOutcome::NotFinished)),
        (MessageState::Deferred, vec![Pending, Failed], Err(ResendOutcome::NotFinished)),
        (MessageState::Queued, vec![Pending], Err(ResendOutcome::NotFinished)),
        (MessageState::Sending, vec![Pending, Failed], Err(ResendOutcome::NotFinished)),
    ] {
        let recipients = recipients.into_iter().map(|state| recipient("a", state, Some(Cause::Timeout))).collect();
        let row = stored(state, recipients);
        let states = |again: Resend| again.recipients.iter().map(|one| one.state).collect::<Vec<_>>();
        assert_eq!(resend(&row, true).map(states), expected, "{state:?}");
        if expected.is_ok() {
            assert_eq!(resend(&row, true).unwrap().status, MessageStatus::new(MessageState::Queued));
            assert_eq!(resend(&row, false), Err(ResendOutcome::ContentGone));
        }
    }
}

#[test]
fn the_content_is_kept_until_everybody_has_it() {
    for (states, needed) in
        [(vec![Accepted, Accepted], false), (vec![Accepted, Failed], true), (vec![DeliveryUnknown], true)]
    {
        let recipients: Vec<_> = states.into_iter().map(|state| recipient("a", state, None)).collect();
        assert_eq!(needs_its_content(&recipients), needed);
    }
}

#[test]
fn after_a_crash_only_those_of_the_last_transaction_may_have_it() {
    let recipients =
        || vec![recipient("a", Accepted, None), recipient("b", Pending, None), recipient("c", Pending, None)];
    let mut row = stored(MessageState::Sending, recipients());
    assert_eq!(interrupted(&row), recipients(), "the message has no commit mark");
    row.ending_at = Some(Timestamp::UNIX_EPOCH);
    let states = |recipients: &[Recipient]| recipients.iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(states(&interrupted(&row)), [Accepted, DeliveryUnknown, DeliveryUnknown]);
    row.ending_to = Some(vec!["b@x.example".to_owned()]);
    let left = interrupted(&row);
    assert_eq!(states(&left), [Accepted, DeliveryUnknown, Pending]);
    let said = status_of(&left);
    assert_eq!((said.state, said.cause), (MessageState::Deferred, Some(Cause::ConnectionLost)));
    assert_eq!(states(&disowned(&row)), [Accepted, DeliveryUnknown, DeliveryUnknown]);
}

#[test]
fn what_is_given_up_always_has_a_cause() {
    let mut recipients = vec![recipient("a", Pending, None), recipient("b", Pending, Some(Cause::Greylisted))];
    give_up(&mut recipients, Some(Cause::QuotaExceeded), Some(Stage::RcptTo));
    assert_eq!(
        recipients.iter().map(|one| one.cause).collect::<Vec<_>>(),
        [Some(Cause::QuotaExceeded), Some(Cause::Greylisted)]
    );
    let refused = Recipient {
        reply: Some("452 4.5.3 Too many".to_owned()),
        ..recipient("b", Pending, Some(Cause::TooManyRecipients))
    };
    let mut rest = vec![recipient("a", Pending, Some(Cause::TooManyRecipients)), refused];
    give_up(&mut rest, Some(Cause::ServerBusy), Some(Stage::Data));
    let causes: Vec<_> = rest.iter().map(|one| one.cause).collect();
    assert_eq!(causes, [Some(Cause::ServerBusy), Some(Cause::TooManyRecipients)], "no server refused the first one");
    let mut nothing_known = vec![recipient("a", Pending, None)];
    give_up(&mut nothing_known, None, None);
    assert_eq!(status_of(&nothing_known).cause, Some(Cause::Unknown));
}

/// With every earlier cause of the recipients, with and without a cause of the back-off: the message and its recipients
/// agree.
#[test]
fn who_waits_for_a_rest_says_so_as_the_message_does() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let met = |state, cause: Option<Cause>| Recipient {
        reply: cause.map(|_| "450 later".to_owned()),
        stage: cause.map(|_| Stage::RcptTo),
        ..recipient("a", state, cause)
    };
    for why in [None, Some(Cause::ConnectRefused)] {
        for before in [None, Some(Cause::Greylisted)] {
            let done = met(Failed, Some(Cause::RecipientRejected));
            let waiting = met(Pending, before);
            let own = status_of(std::slice::from_ref(&waiting));
            let mut row = stored(own.state, vec![done.clone(), waiting]);
            (row.stage, row.cause, row.reply, row.next_at) = (own.stage, own.cause, own.reply, Some(at(1)));
            row.waits_for(at(60), why);
            let status = status_of(&row.recipients);
            let shown = MessageStatus { state: row.state, stage: row.stage, cause: row.cause, reply: row.reply };
            assert_eq!((status, &row.recipients[0]), (shown, &done), "{why:?} {before:?}");
            assert_eq!(row.cause, why.or(before).or(Some(Cause::Unknown)));
        }
    }
}
