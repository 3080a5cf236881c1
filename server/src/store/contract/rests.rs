//! What every store does with lanes and destinations: their order and their back-off.

use std::time::Duration;

use super::{
    queue::{LEASE, lane, message, queue},
    *,
};
use crate::store::outbox::{
    Assignment, Claim, Lane, MessageState, MessageWithAttempts, Passage, Queue, QueuedMessage, Rest,
};

fn behind_relay(lane: &Lane) -> Assignment {
    Assignment { queue: queue(lane), destination: "relay".to_owned() }
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
    assert!(listed.iter().all(|MessageWithAttempts { message, .. }| {
        message.cause == Some(Cause::BadCredentials) && message.next_at == Some(at(500))
    }));
    let page = async |state| store.messages(&shop.account, Some(state), None, 9).await.unwrap().len();
    assert_eq!((page(MessageState::Deferred).await, page(MessageState::Queued).await), (3, 0));
    // A message enqueued meanwhile waits as well.
    store.insert_messages(&[message(5, &shop, 2)]).await.unwrap();
    assert_eq!(store.due_lanes("", at(499), 9).await.unwrap(), []);
    assert_eq!(store.due_destinations(at(499), None, 9).await.unwrap(), []);
    let metrics = store.queue_metrics(at(3)).await.unwrap();
    assert_eq!((metrics.queued, metrics.deferred, metrics.oldest), (5, 0, Some(at(1))));
    let held = async |second| store.queue_metrics(at(second)).await.unwrap().held;
    assert_eq!((held(3).await, held(500).await), (5, 0), "all of them wait for the back-off, none after it");
    // A message with a time of its own, too.
    super::claim(store, &user, LEASE, at(2), at(30), 9).await;
    store.release(LEASE, &[Uuid::from_u128(2)], at(400)).await.unwrap();
    assert_eq!(held(3).await, 5, "it was released untried");
    assert_eq!(store.wake(&shop.account, at(3)).await.unwrap(), 2, "one write for each lane");
    assert_eq!(held(3).await, 1, "the other account's");
    let woken = store.message("demo", Uuid::from_u128(2)).await.unwrap().unwrap();
    assert_eq!(woken.next_at, Some(at(3)), "it shows that it is due");
    let mut lanes = store.due_lanes("", at(3), 9).await.unwrap();
    lanes.sort_by_key(Queue::key);
    assert_eq!(lanes, [queue(&shop), queue(&user)], "every lane of the account, and no other");
    assert_eq!(page(MessageState::Queued).await, 4);
    // A message deferred after that waits for its own time, until the lane is woken again; new messages are due with
    // it.
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
    assert_eq!(
        store.rest_destination("relay", &trouble(11, false)).await.unwrap(),
        rest,
        "the same failure, reported twice"
    );
    let metrics = async |second| store.queue_metrics(at(second)).await.unwrap();
    assert_eq!((metrics(11).await.resting, metrics(11).await.held), (1, 10));
    // Nothing is due, even new messages, and each shows the cause.
    store.insert_messages(&[message(20, &lanes[0], 12)]).await.unwrap();
    assert_eq!((metrics(11).await.held, metrics(60).await.held), (11, 0));
    store.rest_lane(&queue(&lanes[0]), at(40), None).await.unwrap();
    assert_eq!((metrics(11).await.held, metrics(60).await.held), (11, 0), "no message is counted twice");
    store.rest_lane(&queue(&lanes[0]), at(0), None).await.unwrap();
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
    assert_eq!(metrics(61).await.held, 10, "one is being tried");
    assert_eq!((due(89).await, due(90).await), (vec![], vec!["relay".to_owned()]), "its lease is over");
    assert_eq!(store.prolong(&[LEASE.to_owned()], at(120)).await.unwrap(), 1);
    assert_eq!((due(119).await, due(120).await), (vec![], vec!["relay".to_owned()]), "the back-off lasts as long");
    assert_eq!(store.rest_destination("relay", &trouble(70, true)).await.unwrap().until, at(170), "it failed again");
    store.prolong(&[LEASE.to_owned()], at(900)).await.unwrap();
    assert_eq!(due(170).await, ["relay"], "its lease is no probe any more");
    store.ease(&["relay".to_owned(), "other".to_owned()]).await.unwrap();
    assert_eq!((due(71).await, metrics(71).await.held), (vec!["relay".to_owned()], 0));
    let free = store.claim_through(&[claim(&lanes[3], "relay", 71)]).await.unwrap();
    assert_eq!((free[0].passage, free[0].messages.len()), (Passage::Free, 2));
    // After a change, the lane's server is looked up again.
    store.wake(&lanes[4].account, at(72)).await.unwrap();
    assert_eq!(store.due_lanes("", at(72), 9).await.unwrap(), [queue(&lanes[4])]);
    let moved = store.claim_through(&[claim(&lanes[4], "own", 73)]).await.unwrap();
    assert_eq!(moved[0].messages.len(), 2);
    assert_eq!(store.due_lanes("", at(73), 9).await.unwrap(), []);
}

/// Of many claims at once, each gets the messages of its own lane, up to its own limit.
pub(super) async fn many_claims_at_once(store: &dyn Store) {
    let lanes: Vec<Lane> = (1..=11).map(|number| lane(&format!("a{number}"), None)).collect();
    let messages: Vec<QueuedMessage> =
        (0..33_u8).map(|number| message(number.into(), &lanes[usize::from(number % 11)], 1)).collect();
    store.insert_messages(&messages).await.unwrap();
    store.assign(&lanes.iter().map(behind_relay).collect::<Vec<_>>()).await.unwrap();
    store.rest_destination("closed", &|rest| Rest { until: at(500), ..rest }).await.unwrap();
    let mut claims: Vec<Claim> = lanes.iter().map(|lane| claim(lane, "relay", 10)).collect();
    claims[1].limit = 2;
    claims[2].destination = Some("closed".to_owned());
    claims[3].destination = Some("elsewhere".to_owned());
    claims[4].destination = None;
    claims[5].lease_token = "another".to_owned();
    // One gets what the first claim left, the other nothing.
    claims.extend([claims[1].clone(), claims[6].clone()]);
    // Nothing is due yet for the first of these, everything for the other.
    claims[7].now = at(0);
    claims.insert(8, Claim { lease_token: "a third".to_owned(), now: at(10), ..claims[7].clone() });
    let claimed = store.claim_through(&claims).await.unwrap();
    let counts: Vec<usize> = claimed.iter().map(|one| one.messages.len()).collect();
    assert_eq!(counts, [3, 2, 0, 3, 3, 3, 3, 0, 3, 3, 3, 3, 1, 0]);
    for (claim, claimed) in claims.iter().zip(&claimed) {
        for message in &claimed.messages {
            assert_eq!((&message.lane, message.lease_token.as_ref()), (&claim.queue.lane, Some(&claim.lease_token)));
        }
    }
    assert_eq!(store.due_lanes("relay", at(10), 9).await.unwrap(), []);
    assert_eq!(store.due_lanes("closed", at(10), 9).await.unwrap(), [queue(&lanes[2])]);
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
    // Destinations are listed in order, page by page.
    let page = store.due_destinations(at(20), None, 1).await.unwrap();
    assert_eq!(page[0].destination, "relay");
    assert_eq!(store.due_destinations(at(20), Some(&page[0]), 1).await.unwrap(), []);
    // After the clock was set back, a lane due tomorrow is due now.
    let tomorrow = claim(&full, "relay", 90_000);
    store.claim_through(&[Claim { limit: 1, ..tomorrow }]).await.unwrap();
    assert_eq!(store.due_lanes("relay", at(30), 9).await.unwrap(), []);
    store.rest_destination("relay", &|rest| Rest { until: at(80_000), ..rest }).await.unwrap();
    let mut after = None;
    for _ in 0..9 {
        after = store.realign(at(30), at(100), after, 2).await.unwrap();
        if after.is_none() {
            break;
        }
    }
    assert_eq!(after, None, "a few lanes at a time, and every one of them");
    assert_eq!(store.due_lanes("relay", at(30), 9).await.unwrap(), [queue(&full)]);
    assert_eq!(store.due_destinations(at(100), None, 9).await.unwrap().len(), 1);
}
