//! What every store does with the events for portals.

use super::*;

pub(super) async fn events_are_due_in_order_until_they_are_done(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let event = |number: u128, portal: &str| NewEvent {
        id: Uuid::from_u128(number),
        portal: portal.to_owned(),
        content: format!("{{\"number\":{number}}}"),
        at: at(i64::try_from(number).unwrap()),
    };
    let events = [event(3, "demo"), event(1, "demo"), event(2, "other"), event(9, "demo")];
    let print = fingerprint(&store.profile(&martin, id(1)).await.unwrap().unwrap());
    store
        .record_test(&martin, id(1), &run(1, None), &TestRecord { events: &events, ..told(&print, None) })
        .await
        .unwrap();
    let due = async |portal: &str, second, limit| {
        let due = store.due_events(portal, at(second), limit).await.unwrap();
        due.iter().map(|event| (event.id.as_u128(), event.tries)).collect::<Vec<_>>()
    };
    assert_eq!(due("demo", 0, 9).await, []);
    assert_eq!(due("demo", 5, 9).await, [(1, 0), (3, 0)], "the oldest first, and of this portal only");
    assert_eq!(due("demo", 5, 1).await, [(1, 0)]);
    assert_eq!(due("other", 5, 9).await, [(2, 0)]);
    store.event_failed(Uuid::from_u128(1), at(8)).await.unwrap();
    assert_eq!(due("demo", 7, 9).await, [(3, 0)]);
    assert_eq!(due("demo", 8, 9).await, [(3, 0), (1, 1)]);
    store.event_done(Uuid::from_u128(3)).await.unwrap();
    assert_eq!(due("demo", 10, 9).await, [(1, 1), (9, 0)]);
    let found = store.due_events("demo", at(10), 1).await.unwrap();
    assert_eq!((found[0].content.as_str(), found[0].created_at), ("{\"number\":1}", at(1)));
}
