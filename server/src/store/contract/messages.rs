//! What every store does with messages.

use super::{
    queue::{LEASE, lane, message, queue, settlement},
    *,
};
use crate::store::outbox::{Assignment, Attempt, Inserted, MessageState, QueuedMessage, Rest, SettledDay, Settlement};

pub(super) async fn given_once_and_seen_by_their_portal_only(store: &dyn Store) {
    let shop = lane("martin", None);
    let keyed = |number, hash| QueuedMessage {
        idempotency_key: Some("k".to_owned()),
        request_hash: [hash; 32],
        ..message(number, &shop, 1)
    };
    let outcomes = store.insert_messages(&[keyed(1, 1), message(2, &shop, 1), keyed(3, 1)]).await.unwrap();
    let known = |same| Inserted::Known { id: Uuid::from_u128(1), same };
    assert_eq!(outcomes, [Inserted::New, Inserted::New, known(true)], "in the same transaction as well");
    assert_eq!(store.insert_messages(&[keyed(4, 2)]).await.unwrap(), [known(false)]);
    let by_key = async |key, hash| store.message_by_key("demo", key, &[hash; 32]).await.unwrap();
    assert_eq!((by_key("k", 1).await, by_key("k", 2).await), (Some(known(true)), Some(known(false))));
    assert_eq!((by_key("other", 1).await, store.message_by_key("other", "k", &[1; 32]).await.unwrap()), (None, None));
    let mut elsewhere = keyed(5, 1);
    elsewhere.lane.account.portal = "other".to_owned();
    assert_eq!(store.insert_messages(&[elsewhere]).await.unwrap(), [Inserted::New], "each portal has its own keys");
    let found = store.message("demo", Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((found.state, found.subject.as_str(), found.size), (MessageState::Queued, "Devis", 12));
    assert_eq!((found.lane, found.expires_at, found.next_at), (shop.clone(), at(1_001), Some(at(1))));
    assert_eq!(store.message("other", Uuid::from_u128(1)).await.unwrap(), None);
    // Pages, the newest first.
    let all: Vec<QueuedMessage> = (10..15).map(|number| message(number, &shop, 2)).collect();
    store.insert_messages(&all).await.unwrap();
    store.insert_messages(&[message(20, &lane("dubois", None), 2)]).await.unwrap();
    let page = async |state, before: Option<u128>, limit| {
        let rows = store.messages(&shop.account, state, before.map(Uuid::from_u128), limit).await.unwrap();
        rows.iter().map(|row| row.message.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 3).await, [14, 13, 12]);
    assert_eq!(page(None, Some(12), 9).await, [11, 10, 2, 1]);
    assert_eq!(page(Some(MessageState::Failed), None, 9).await, [0_u128; 0]);
}

/// A list filtered by a state has the messages shown in that state, even if their rows say otherwise.
pub(super) async fn a_message_is_listed_in_the_state_that_it_shows(store: &dyn Store) {
    let lanes: Vec<_> = ["a", "b", "c"].map(|user| lane("martin", Some(user))).into();
    for (number, lane) in (1..).zip(&lanes) {
        store.insert_messages(&[message(number, lane, 1), message(number + 10, lane, 1)]).await.unwrap();
        // One message of each lane has a time of its own.
        super::claim(store, lane, "one", at(2), at(30), 1).await;
        store.release("one", &[Uuid::from_u128(number)], at(400)).await.unwrap();
    }
    store.rest_lane(&queue(&lanes[1]), at(200), None).await.unwrap();
    let agrees = async || {
        let all = store.messages(&lanes[0].account, None, None, 99).await.unwrap();
        for state in MessageState::ALL {
            let listed = store.messages(&lanes[0].account, Some(*state), None, 99).await.unwrap();
            let shown: Vec<_> = all.iter().filter(|one| one.message.state == *state).cloned().collect();
            assert_eq!(listed, shown, "{state:?}");
        }
        all.iter().filter(|one| one.message.state == MessageState::Deferred).count()
    };
    assert_eq!(agrees().await, 1, "the one whose own time comes before the lane's");
    // Woken messages are due at once, with or without a time of their own; then the whole lane is in back-off.
    store.wake(&lanes[0].account, at(3)).await.unwrap();
    assert_eq!(agrees().await, 0);
    store.rest_lane(&queue(&lanes[2]), at(200), Some(Cause::Timeout)).await.unwrap();
    assert_eq!(agrees().await, 2);
    store.assign(&[Assignment { queue: queue(&lanes[0]), destination: "relay".to_owned() }]).await.unwrap();
    store.rest_destination("relay", &|rest| Rest { until: at(90), ..rest }).await.unwrap();
    assert_eq!(agrees().await, 4);
}

/// A profile's finished messages, the last one first, and how many on each day; none of other profiles.
pub(super) async fn what_was_settled_through_a_profile(store: &dyn Store) {
    const DAY: i64 = 86_400;
    let shop = lane("martin", None);
    for number in [1, 2] {
        insert(store, &shop.account, &row(number, None)).await;
    }
    store.insert_messages(&(1..=7).map(|number| message(number, &shop, 1)).collect::<Vec<_>>()).await.unwrap();
    super::claim(store, &shop, LEASE, at(2), at(9 * DAY), 7).await;
    let mut other = settlement(7, &shop, MessageState::Accepted, 50);
    other.attempt = other.attempt.map(|attempt| Attempt { profile: Some(id(2)), ..attempt });
    let settled = [
        settlement(1, &shop, MessageState::Accepted, 10),
        settlement(2, &shop, MessageState::Failed, 20),
        settlement(3, &shop, MessageState::DeliveryUnknown, 30),
        Settlement { fallback: true, ..settlement(4, &shop, MessageState::Accepted, 40) },
        settlement(5, &shop, MessageState::Accepted, 2 * DAY),
        settlement(6, &shop, MessageState::Deferred, 2 * DAY + 1),
        other,
    ];
    for one in settled {
        assert!(store.settle(&[one]).await.unwrap()[0].done);
    }
    let listed = async |account: &AccountId, profile, limit| {
        let rows = store.settled_through(account, profile, limit).await.unwrap();
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&shop.account, id(1), 9).await, [5, 4, 3, 2, 1], "the deferred one is not finished");
    assert_eq!(listed(&shop.account, id(1), 2).await, [5, 4]);
    assert_eq!(listed(&account("dubois"), id(1), 9).await, [0_u128; 0]);
    let first = Timestamp::from_second(at(0).as_second() / DAY * DAY).unwrap();
    let day = |number: i64, accepted, others| SettledDay {
        day: Timestamp::from_second(first.as_second() + number * DAY).unwrap(),
        accepted,
        others,
    };
    let days = async |account: &AccountId, profile, since| store.settled_by_day(account, profile, since).await.unwrap();
    assert_eq!(days(&shop.account, id(1), first).await, [day(0, 1, 3), day(2, 1, 0)]);
    assert_eq!(days(&shop.account, id(1), at(DAY)).await, [day(2, 1, 0)], "earlier days are not counted");
    assert_eq!(days(&shop.account, id(2), first).await, [day(0, 1, 0)]);
    assert_eq!(days(&account("dubois"), id(1), first).await, []);
}
