//! What every store does with claims and their leases.

use super::*;
use crate::store::outbox::{
    Attempt, AttemptOutcome, CommitMark, Lane, MessageState, MessageStatus, Precondition, Queue, QueuedMessage,
    Recipient, RecipientKind, RecipientState, Resend, ResendOutcome, ResendTimes, Settlement, StoredMessage, Via,
};

pub(crate) const LEASE: &str = "one";

pub(crate) fn lane(account: &str, user: Option<&str>) -> Lane {
    let account = AccountId { portal: "demo".to_owned(), account: account.to_owned() };
    Lane { account, user: user.map(str::to_owned) }
}

pub(crate) fn queue(lane: &Lane) -> Queue {
    Queue { lane: lane.clone(), fallback: false }
}

pub(super) fn recipient(state: RecipientState) -> Recipient {
    Recipient {
        address: "a@x.example".to_owned(),
        kind: RecipientKind::To,
        state,
        cause: None,
        reply: None,
        stage: None,
    }
}

pub(crate) fn message(number: u128, lane: &Lane, second: i64) -> QueuedMessage {
    QueuedMessage {
        id: Uuid::from_u128(number),
        lane: lane.clone(),
        idempotency_key: None,
        request_hash: [1; 32],
        message_id: format!("{number}@x.example"),
        reference: Some("D-12".to_owned()),
        subject: "Devis".to_owned(),
        size: 12,
        recipients: vec![recipient(RecipientState::Pending)],
        at: at(second),
        expires_at: at(second + 1_000),
        sealed: vec![9; 12],
    }
}

pub(crate) fn settlement(number: u128, lane: &Lane, state: MessageState, second: i64) -> Settlement {
    let outcome = if state == MessageState::Accepted { AttemptOutcome::Accepted } else { AttemptOutcome::Failed };
    Settlement {
        id: Uuid::from_u128(number),
        lane: lane.clone(),
        precondition: Precondition::Lease(LEASE.to_owned()),
        at: at(second),
        attempt: Some(Attempt {
            at: at(second),
            duration_ms: 5,
            via: Some(Via::Profile),
            profile: Some(id(1)),
            outcome,
            stage: Some(Stage::Data),
            cause: None,
            reply: Some("250 ok".to_owned()),
            queue_id: None,
        }),
        counts: true,
        status: MessageStatus {
            stage: Some(Stage::Data),
            reply: Some("250 ok".to_owned()),
            ..MessageStatus::new(state)
        },
        content_done: state == MessageState::Accepted,
        recipients: vec![recipient(RecipientState::Accepted)],
        next_at: (!state.is_final()).then(|| at(second + 60)),
        fallback: false,
        health: None,
        event: None,
        transition_event: Some(crate::events::profile_transition),
    }
}

pub(crate) fn commit_mark(number: u128, lease_token: &str, to: Option<&[&str]>) -> CommitMark {
    let to = to.map(|to| to.iter().map(|address| (*address).to_owned()).collect());
    CommitMark { id: Uuid::from_u128(number), lease_token: lease_token.to_owned(), to }
}

/// A resend rule: failed messages, as long as their content is kept.
fn only_failed(row: &StoredMessage, kept: bool) -> Result<Resend, ResendOutcome> {
    match (row.state, kept) {
        (MessageState::Failed | MessageState::DeliveryUnknown, true) => Ok(Resend {
            recipients: row.recipients.clone(),
            status: MessageStatus { cause: Some(Cause::Timeout), ..MessageStatus::new(MessageState::Queued) },
        }),
        (MessageState::Failed | MessageState::DeliveryUnknown, false) => Err(ResendOutcome::ContentGone),
        _ => Err(ResendOutcome::NotFinished),
    }
}

async fn states(store: &dyn Store, numbers: impl IntoIterator<Item = u128>) -> Vec<MessageState> {
    let mut states = Vec::new();
    for number in numbers {
        states.push(store.message("demo", Uuid::from_u128(number)).await.unwrap().unwrap().state);
    }
    states
}

pub(super) async fn claims_are_leases(store: &dyn Store) {
    let (shop, user) = (lane("martin", None), lane("martin", Some("karim")));
    let late = QueuedMessage { at: at(50), ..message(3, &shop, 50) };
    store.insert_messages(&[message(1, &shop, 1), message(2, &shop, 2), late, message(4, &user, 1)]).await.unwrap();
    let lanes = store.due_lanes("", at(10), 9).await.unwrap();
    assert_eq!(lanes, [queue(&shop), queue(&user)]);
    assert_eq!(store.due_lanes("", at(10), 1).await.unwrap(), [queue(&shop)]);
    assert_eq!(store.due_lanes("", at(0), 9).await.unwrap(), []);
    let claim = async |lease_token: &str, now| {
        let rows = super::claim(store, &shop, lease_token, at(now), at(now + 30), 9).await;
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(claim(LEASE, 10).await, [1, 2], "the due messages, the oldest first");
    assert_eq!(claim("two", 10).await, [0_u128; 0]);
    // Marks and settlements need the lease.
    let marks = [commit_mark(1, LEASE, None), commit_mark(2, "two", None), commit_mark(1, "two", None)];
    assert_eq!(store.mark_commit(&marks, at(11)).await.unwrap(), [true, false, false], "by lease, not by message");
    assert_eq!(store.mark_commit(&marks[..1], at(41)).await.unwrap(), [false], "not after the lease");
    assert_eq!(store.prolong(&[LEASE.to_owned(), "x".to_owned()], at(100)).await.unwrap(), 2);
    assert_eq!(store.mark_commit(&marks[..1], at(41)).await.unwrap(), [true]);
    // The lease stays for the next transaction, which has a mark of its own.
    let between = Settlement { content_done: false, ..settlement(1, &shop, MessageState::Sending, 42) };
    assert!(store.settle(&[between]).await.unwrap()[0].done);
    let marked = [commit_mark(1, LEASE, Some(&["a@x.example"]))];
    assert_eq!(store.mark_commit(&marked, at(42)).await.unwrap(), [true]);
    let under_way = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((under_way.state, under_way.lease_token.as_deref()), (MessageState::Sending, Some(LEASE)));
    assert_eq!(under_way.ending_to.as_deref(), Some(&["a@x.example".to_owned()][..]));
    let some = [1, 2, 9].map(Uuid::from_u128);
    let contents = store.contents_of(&some).await.unwrap();
    assert_eq!(contents.len(), 2);
    assert_eq!(contents.get(&some[0]), store.content(some[0]).await.unwrap().as_ref());
    let foreign = Settlement {
        precondition: Precondition::Lease("two".to_owned()),
        ..settlement(1, &shop, MessageState::Failed, 42)
    };
    let own = settlement(1, &shop, MessageState::Accepted, 42);
    // A finished message loses its mark; another message's mark is written with it.
    let marks = [commit_mark(1, LEASE, None), commit_mark(2, LEASE, None)];
    let (outcomes, marked) =
        store.settle_and_mark(&[&foreign, &own, &own], &marks.iter().collect::<Vec<_>>(), at(42)).await.unwrap();
    assert_eq!(marked, [false, true]);
    assert_eq!(outcomes.iter().map(|outcome| outcome.done).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(store.content(Uuid::from_u128(1)).await.unwrap(), None, "accepted: its text is deleted");
    let done = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((done.state, done.finished_at, done.tries), (MessageState::Accepted, Some(at(42)), 2));
    assert_eq!((done.ending_at, done.ending_to, done.lease_token), (None, None, None));
    assert_eq!((done.profile, done.stage, done.reply.as_deref()), (Some(id(1)), Some(Stage::Data), Some("250 ok")));
    let attempts = store.attempts(Uuid::from_u128(1)).await.unwrap();
    assert_eq!(attempts.len(), 2);
    let page = store.messages(&shop.account, Some(MessageState::Accepted), None, 9).await.unwrap();
    assert_eq!(page[0].attempts, attempts, "the page contains them");
    assert_eq!(store.sent_since(id(1), at(42)).await.unwrap(), 1);
    assert_eq!(store.sent_since(id(1), at(43)).await.unwrap(), 0);
    // Released untried.
    store.release(LEASE, &[Uuid::from_u128(2)], at(60)).await.unwrap();
    assert_eq!(states(store, [2]).await, [MessageState::Queued]);
    assert_eq!(claim(LEASE, 59).await, [3]);
    assert_eq!(claim(LEASE, 60).await, [2]);
}

pub(super) async fn the_abandoned_are_found_and_the_waiting_end(store: &dyn Store) {
    let shop = lane("martin", None);
    store.insert_messages(&[message(1, &shop, 1), message(2, &shop, 1), message(3, &shop, 1)]).await.unwrap();
    super::claim(store, &shop, LEASE, at(2), at(30), 2).await;
    store.mark_commit(&[commit_mark(1, LEASE, None)], at(3)).await.unwrap();
    assert_eq!(store.abandoned(at(29), 9).await.unwrap(), []);
    let abandoned = store.abandoned(at(30), 9).await.unwrap();
    let endings: Vec<bool> = abandoned.iter().map(|row| row.ending_at.is_some()).collect();
    assert_eq!((abandoned.len(), endings), (2, vec![true, false]));
    let after = |number, state, precondition| Settlement { precondition, ..settlement(number, &shop, state, 31) };
    let early = after(1, MessageState::DeliveryUnknown, Precondition::LeaseEnded(at(29)));
    let ended = after(1, MessageState::DeliveryUnknown, Precondition::LeaseEnded(at(30)));
    let outcomes = store.settle(&[early, ended]).await.unwrap();
    assert_eq!(outcomes.iter().map(|outcome| outcome.done).collect::<Vec<_>>(), [false, true]);
    assert!(store.content(Uuid::from_u128(1)).await.unwrap().is_some(), "it can be sent again");
    // Expired.
    assert_eq!(store.overdue(at(1_000), 9).await.unwrap(), []);
    let overdue = store.overdue(at(1_001), 9).await.unwrap();
    assert_eq!(overdue.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [3], "2 is being sent");
    let over = after(3, MessageState::Failed, Precondition::Waiting);
    assert!(store.settle(std::slice::from_ref(&over)).await.unwrap()[0].done);
    assert!(!store.settle(&[over]).await.unwrap()[0].done);
    // Resent, by its own portal, while its content is kept.
    let resend = async |portal: &str, number| {
        let times = ResendTimes { now: at(2_000), expires_at: at(3_000) };
        store.resend(portal, Uuid::from_u128(number), times, only_failed).await.unwrap()
    };
    assert_eq!(resend("other", 3).await, ResendOutcome::NotFound);
    assert_eq!(resend("demo", 2).await, ResendOutcome::NotFinished);
    assert_eq!(resend("demo", 3).await, ResendOutcome::Done);
    let row = store.message("demo", Uuid::from_u128(3)).await.unwrap().unwrap();
    assert_eq!((row.state, row.tries, row.next_at), (MessageState::Queued, 0, Some(at(2_000))));
    assert_eq!((row.expires_at, row.finished_at), (at(3_000), None));
    assert_eq!((row.cause, row.reply), (Some(Cause::Timeout), None), "as the rule says");
    assert_eq!(store.purge(at(0), at(40), 9).await.unwrap(), 1, "texts go first");
    assert_eq!(resend("demo", 1).await, ResendOutcome::ContentGone);
    assert_eq!(store.purge(at(40), at(40), 9).await.unwrap(), 1, "then the records");
    assert_eq!(store.message("demo", Uuid::from_u128(1)).await.unwrap(), None);
}
