//! What every store does with lanes, destinations and leases.

use std::time::Duration;

use super::*;
use crate::store::outbox::{
    Assignment, Attempt, AttemptOutcome, Claim, CommitMark, Lane, MessageState, MessageStatus, Passage, Precondition,
    Queue, QueuedMessage, Recipient, RecipientKind, RecipientState, Resend, ResendOutcome, Rest, Settlement,
    StoredMessage, Via,
};

pub(super) const LEASE: &str = "one";

pub(super) fn lane(account: &str, user: Option<&str>) -> Lane {
    let account = AccountId { portal: "demo".to_owned(), account: account.to_owned() };
    Lane { account, user: user.map(str::to_owned) }
}

pub(super) fn queue(lane: &Lane) -> Queue {
    Queue { lane: lane.clone(), fallback: false }
}

fn behind_relay(lane: &Lane) -> Assignment {
    Assignment { queue: queue(lane), destination: "relay".to_owned() }
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

pub(super) fn message(number: u128, lane: &Lane, second: i64) -> QueuedMessage {
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

pub(super) fn settlement(number: u128, lane: &Lane, state: MessageState, second: i64) -> Settlement {
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

pub(super) fn commit_mark(number: u128, lease_token: &str, to: Option<&[&str]>) -> CommitMark {
    let to = to.map(|to| to.iter().map(|address| (*address).to_owned()).collect());
    CommitMark { id: Uuid::from_u128(number), lease_token: lease_token.to_owned(), to }
}

/// A rule of resending: failed ones, as long as their content is kept.
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
    assert_eq!(claim(LEASE, 10).await, [1, 2], "what is due, the oldest first");
    assert_eq!(claim("two", 10).await, [0_u128; 0]);
    // A mark, and a settlement, are for those who hold the lease.
    let marks = [commit_mark(1, LEASE, None), commit_mark(2, "two", None), commit_mark(1, "two", None)];
    assert_eq!(store.mark_commit(&marks, at(11)).await.unwrap(), [true, false, false], "by lease, not by message");
    assert_eq!(store.mark_commit(&marks[..1], at(41)).await.unwrap(), [false], "not after its end");
    assert_eq!(store.prolong(&[LEASE.to_owned(), "x".to_owned()], at(100)).await.unwrap(), 2);
    assert_eq!(store.mark_commit(&marks[..1], at(41)).await.unwrap(), [true]);
    // The lease goes on with the next transaction, and with a mark of its own.
    let between = Settlement { content_done: false, ..settlement(1, &shop, MessageState::Sending, 42) };
    assert!(store.settle(&[between]).await.unwrap()[0].done);
    let marked = [commit_mark(1, LEASE, Some(&["a@x.example"]))];
    assert_eq!(store.mark_commit(&marked, at(42)).await.unwrap(), [true]);
    let under_way = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((under_way.state, under_way.lease_token.as_deref()), (MessageState::Sending, Some(LEASE)));
    assert_eq!(under_way.ending_to.as_deref(), Some(&["a@x.example".to_owned()][..]));
    assert!(store.content(Uuid::from_u128(1)).await.unwrap().is_some());
    let foreign = Settlement {
        precondition: Precondition::Lease("two".to_owned()),
        ..settlement(1, &shop, MessageState::Failed, 42)
    };
    let own = settlement(1, &shop, MessageState::Accepted, 42);
    let outcomes = store.settle(&[foreign, own.clone(), own]).await.unwrap();
    assert_eq!(outcomes.iter().map(|outcome| outcome.done).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(store.content(Uuid::from_u128(1)).await.unwrap(), None, "accepted: its text is gone");
    let done = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((done.state, done.finished_at, done.tries), (MessageState::Accepted, Some(at(42)), 2));
    assert_eq!((done.ending_at, done.ending_to, done.lease_token), (None, None, None));
    assert_eq!((done.profile, done.stage, done.reply.as_deref()), (Some(id(1)), Some(Stage::Data), Some("250 ok")));
    let attempts = store.attempts(Uuid::from_u128(1)).await.unwrap();
    assert_eq!(attempts.len(), 2);
    let page = store.messages(&shop.account, Some(MessageState::Accepted), None, 9).await.unwrap();
    assert_eq!(page[0].1, attempts, "the page brings them along");
    assert_eq!(store.sent_since(id(1), at(42)).await.unwrap(), 1);
    assert_eq!(store.sent_since(id(1), at(43)).await.unwrap(), 0);
    // Given back untried.
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
    // Over after its time.
    assert_eq!(store.overdue(at(1_000), 9).await.unwrap(), []);
    let overdue = store.overdue(at(1_001), 9).await.unwrap();
    assert_eq!(overdue.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [3], "2 is being sent");
    let over = after(3, MessageState::Failed, Precondition::Waiting);
    assert!(store.settle(std::slice::from_ref(&over)).await.unwrap()[0].done);
    assert!(!store.settle(&[over]).await.unwrap()[0].done);
    // Sent again, by its own portal, while its text is there.
    let resend = async |portal: &str, number| {
        let times = (at(2_000), at(3_000));
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
    assert_eq!(store.purge(at(40), at(40), 9).await.unwrap(), 1, "then what is known");
    assert_eq!(store.message("demo", Uuid::from_u128(1)).await.unwrap(), None);
}

pub(super) async fn lanes_rest_and_are_woken(store: &dyn Store) {
    let (shop, user, other) = (lane("martin", None), lane("martin", Some("karim")), lane("martine", None));
    let messages = [message(1, &shop, 1), message(2, &user, 1), message(3, &other, 1), message(4, &shop, 1)];
    store.insert_messages(&messages).await.unwrap();
    for lane in [&shop, &user, &other] {
        store.rest_lane(&queue(lane), at(500), Some(Cause::BadCredentials)).await.unwrap();
    }
    let held = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(
        (held.state, held.cause, held.next_at),
        (MessageState::Deferred, Some(Cause::BadCredentials), Some(at(500)))
    );
    let listed = store.messages(&shop.account, None, None, 9).await.unwrap();
    assert!(listed.iter().all(|(row, _)| row.cause == Some(Cause::BadCredentials) && row.next_at == Some(at(500))));
    let page = async |state| store.messages(&shop.account, Some(state), None, 9).await.unwrap().len();
    assert_eq!((page(MessageState::Deferred).await, page(MessageState::Queued).await), (3, 0));
    // What is given meanwhile waits as well.
    store.insert_messages(&[message(5, &shop, 2)]).await.unwrap();
    assert_eq!(store.due_lanes("", at(499), 9).await.unwrap(), []);
    assert_eq!(store.due_destinations(at(499), None, 9).await.unwrap(), []);
    let metrics = store.queue_metrics(at(3)).await.unwrap();
    assert_eq!((metrics.queued, metrics.deferred, metrics.oldest), (5, 0, Some(at(1))));
    // One that has a time of its own, too.
    super::claim(store, &user, LEASE, at(2), at(30), 9).await;
    store.release(LEASE, &[Uuid::from_u128(2)], at(400)).await.unwrap();
    assert_eq!(store.wake(&shop.account, at(3)).await.unwrap(), 2, "one write a lane");
    let woken = store.message("demo", Uuid::from_u128(2)).await.unwrap().unwrap();
    assert_eq!(woken.next_at, Some(at(3)), "it says that it is due");
    let mut lanes = store.due_lanes("", at(3), 9).await.unwrap();
    lanes.sort_by_key(Queue::key);
    assert_eq!(lanes, [queue(&shop), queue(&user)], "every lane of the account, and of no other");
    assert_eq!(page(MessageState::Queued).await, 4);
    // What is put off after that waits for its own time, until the lane is woken again; what is new has its turn with it.
    let claimed = async |second| {
        let rows = super::claim(store, &user, LEASE, at(second), at(second + 30), 9).await;
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(claimed(4).await, [2]);
    store.release(LEASE, &[Uuid::from_u128(2)], at(400)).await.unwrap();
    assert_eq!((claimed(399).await, store.due_lanes("", at(399), 9).await.unwrap()), (vec![], vec![queue(&shop)]));
    store.insert_messages(&[message(6, &user, 100)]).await.unwrap();
    assert_eq!(claimed(100).await, [6]);
    store.wake(&shop.account, at(101)).await.unwrap();
    store.wake(&shop.account, at(102)).await.unwrap();
    assert_eq!(claimed(103).await, [2]);
    store.release(LEASE, &[Uuid::from_u128(2)], at(400)).await.unwrap();
    assert_eq!(claimed(400).await, [2]);
}

fn claim(lane: &Lane, destination: &str, second: i64) -> Claim {
    Claim {
        queue: queue(lane),
        destination: Some(destination.to_owned()),
        lease_token: LEASE.to_owned(),
        now: at(second),
        until: at(second + 30),
        limit: 9,
    }
}

pub(super) async fn destinations_rest_with_all_their_lanes(store: &dyn Store) {
    let lanes: Vec<Lane> = (0..5).map(|number| lane(&format!("a{number}"), None)).collect();
    let messages: Vec<QueuedMessage> =
        (0..10_u8).map(|number| message(number.into(), &lanes[usize::from(number % 5)], 1)).collect();
    store.insert_messages(&messages).await.unwrap();
    let behind: Vec<_> = lanes.iter().map(behind_relay).collect();
    store.assign(&behind).await.unwrap();
    assert_eq!(store.due_lanes("", at(9), 9).await.unwrap(), []);
    let due = async |second| {
        let due = store.due_destinations(at(second), None, 9).await.unwrap();
        due.into_iter().map(|due| due.destination).collect::<Vec<_>>()
    };
    assert_eq!((due(0).await, due(1).await), (vec![], vec!["relay".to_owned()]));
    let trouble = |second, probe| {
        move |rest: Rest| {
            rest.after_trouble(at(second), Some(Cause::Timeout), probe, |n| Duration::from_secs(u64::from(n) * 50))
        }
    };
    let rest = store.rest_destination("relay", &trouble(10, false)).await.unwrap();
    assert_eq!((rest.until, rest.troubles), (at(60), 1));
    assert_eq!(store.rest_destination("relay", &trouble(11, false)).await.unwrap(), rest, "the same, met twice");
    assert_eq!(store.queue_metrics(at(11)).await.unwrap().resting, 1);
    // Nothing is due, even for new messages, and each shows the cause.
    store.insert_messages(&[message(20, &lanes[0], 12)]).await.unwrap();
    assert_eq!(due(59).await, [""; 0]);
    let row = store.message("demo", Uuid::from_u128(20)).await.unwrap().unwrap();
    assert_eq!((row.state, row.cause, row.next_at), (MessageState::Deferred, Some(Cause::Timeout), Some(at(60))));
    assert_eq!(store.overdue(at(2_000), 99).await.unwrap()[0].cause, Some(Cause::Timeout), "also at its end");
    let early = store.claim_through(&[claim(&lanes[0], "relay", 59)]).await.unwrap();
    assert_eq!((early[0].passage, early[0].messages.len(), early[0].rest), (Passage::Closed, 0, rest));
    // Then one message is tried, and no other until its outcome is known.
    assert_eq!(due(60).await, ["relay"]);
    let tries = store.claim_through(&[claim(&lanes[1], "relay", 60), claim(&lanes[2], "relay", 60)]).await.unwrap();
    let passages: Vec<_> = tries.iter().map(|claimed| (claimed.passage, claimed.messages.len())).collect();
    assert_eq!(passages, [(Passage::Probe, 1), (Passage::Closed, 0)]);
    assert_eq!((due(89).await, due(90).await), (vec![], vec!["relay".to_owned()]), "its lease is over");
    assert_eq!(store.prolong(&[LEASE.to_owned()], at(120)).await.unwrap(), 1);
    assert_eq!((due(119).await, due(120).await), (vec![], vec!["relay".to_owned()]), "the rest lasts as long");
    assert_eq!(store.rest_destination("relay", &trouble(70, true)).await.unwrap().until, at(170), "it failed again");
    store.prolong(&[LEASE.to_owned()], at(900)).await.unwrap();
    assert_eq!(due(170).await, ["relay"], "it probes no more");
    store.ease(&["relay".to_owned(), "other".to_owned()]).await.unwrap();
    assert_eq!(due(71).await, ["relay"]);
    let free = store.claim_through(&[claim(&lanes[3], "relay", 71)]).await.unwrap();
    assert_eq!((free[0].passage, free[0].messages.len()), (Passage::Free, 2));
    // A change leaves the lane to the next look-up of its server.
    store.wake(&lanes[4].account, at(72)).await.unwrap();
    assert_eq!(store.due_lanes("", at(72), 9).await.unwrap(), [queue(&lanes[4])]);
    let moved = store.claim_through(&[claim(&lanes[4], "own", 73)]).await.unwrap();
    assert_eq!(moved[0].messages.len(), 2);
    assert_eq!(store.due_lanes("", at(73), 9).await.unwrap(), []);
}

pub(super) async fn lanes_have_their_turns(store: &dyn Store) {
    let (full, other, late) = (lane("full", None), lane("other", None), lane("late", None));
    let many: Vec<QueuedMessage> = (1..=40).map(|number| message(number, &full, 1)).collect();
    store.insert_messages(&many).await.unwrap();
    store.insert_messages(&[message(50, &other, 2), message(51, &other, 2), message(52, &late, 3)]).await.unwrap();
    let behind = [&full, &other, &late].map(behind_relay);
    store.assign(&behind).await.unwrap();
    let mut order = Vec::new();
    for second in 10..16 {
        let next = store.due_lanes("relay", at(second), 1).await.unwrap().remove(0);
        order.push(next.lane.account.account.clone());
        let claim = Claim { queue: next, limit: 1, ..claim(&full, "relay", second) };
        store.claim_through(&[claim]).await.unwrap();
    }
    assert_eq!(order, ["full", "other", "late", "full", "other", "full"]);
    // Destinations have theirs, page by page.
    let page = store.due_destinations(at(20), None, 1).await.unwrap();
    assert_eq!(page[0].destination, "relay");
    assert_eq!(store.due_destinations(at(20), Some(&page[0]), 1).await.unwrap(), []);
    // After the clock was set back, what has its turn tomorrow has it now.
    let tomorrow = claim(&full, "relay", 90_000);
    store.claim_through(&[Claim { limit: 1, ..tomorrow }]).await.unwrap();
    assert_eq!(store.due_lanes("relay", at(30), 9).await.unwrap(), []);
    store.rest_destination("relay", &|rest| Rest { until: at(80_000), ..rest }).await.unwrap();
    store.realign(at(30), at(100)).await.unwrap();
    assert_eq!(store.due_lanes("relay", at(30), 9).await.unwrap(), [queue(&full)]);
    assert_eq!(store.due_destinations(at(100), None, 9).await.unwrap().len(), 1);
}
