//! What every store does with rows that cannot be decoded. `execute` damages them, as a disk or a person might.

use super::{
    queue::{lane, message, queue},
    *,
};
use crate::store::outbox::MessageState;

pub(crate) async fn damaged_rows_are_set_aside_once(store: &impl Store, execute: impl AsyncFn(&'static str)) {
    let (shop, other) = (lane("martin", None), lane("dubois", None));
    let options = SendingOptions { check_hourly: true, ..SendingOptions::default() };
    for number in [1, 2] {
        insert(store, &shop.account, &row(number, Some(&format!("user-{number}")))).await;
        assert!(edit(store, &shop.account, id(number), |row| ProfileRow { sending: options, ..row.clone() }).await);
    }
    insert(store, &shop.account, &grants::with_grant(3)).await;
    store.insert_messages(&[message(1, &shop, 1), message(2, &shop, 1), message(3, &other, 1)]).await.unwrap();
    let given =
        |id: u128| NewEvent { id: Uuid::from_u128(id), portal: "demo".to_owned(), content: "{}".to_owned(), at: at(1) };
    store.quarantine_told(&[], &[given(1), given(2)]).await.unwrap();
    for sql in [
        "UPDATE message SET recipients = '[{' WHERE id = '00000000-0000-0000-0000-000000000001'",
        "UPDATE profile SET security = '?' WHERE id = '00000000-0000-0000-0000-000000000001'",
        "UPDATE event SET id = '?' WHERE id = '00000000-0000-0000-0000-000000000001'",
        "UPDATE lane SET lane = 'x' WHERE account = 'dubois'",
        "UPDATE oauth_grant SET profile = '?'",
    ] {
        execute(sql).await;
    }
    // Readers get the other rows.
    let claimed = super::claim(store, &shop, "one", at(2), at(30), 9).await;
    assert_eq!(claimed.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [2]);
    let events = store.due_events("demo", at(2), 9).await.unwrap();
    assert_eq!(events.iter().map(|event| event.id.as_u128()).collect::<Vec<_>>(), [2]);
    let due = store.profiles_to_check(at(2), 9).await.unwrap();
    assert_eq!(due.iter().map(|one| one.row.id).collect::<Vec<_>>(), [id(2)]);
    assert!(store.due_lanes("", at(2), 9).await.unwrap().is_empty());
    assert!(store.grants_to_refresh(at(9_000), 9).await.unwrap().is_empty());
    // A second read finds no more.
    assert!(super::claim(store, &shop, "two", at(2), at(30), 9).await.is_empty());
    assert_eq!(store.profiles_to_check(at(2), 9).await.unwrap().len(), 1);
    let found = store.newly_quarantined(9).await.unwrap();
    let mut kinds: Vec<_> = found.iter().map(|row| (row.table.as_str(), row.column.as_str())).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds.iter().map(|(table, _)| *table).collect::<Vec<_>>(),
        ["event", "lane", "message", "oauth_grant", "profile"]
    );
    assert!(kinds.contains(&("message", "recipients")) && kinds.contains(&("profile", "security")), "{kinds:?}");
    store.quarantine_told(&found, &[given(3)]).await.unwrap();
    assert!(store.newly_quarantined(9).await.unwrap().is_empty(), "reported once");
    assert_eq!(store.due_events("demo", at(2), 9).await.unwrap().len(), 2);
    let metrics = store.queue_metrics(at(2)).await.unwrap();
    assert_eq!((metrics.quarantined, metrics.queued, metrics.sending), (5, 1, 1));
    let set_aside = store.messages(&shop.account, Some(MessageState::Quarantined), None, 9).await.unwrap();
    assert_eq!(set_aside.len(), 1, "its owner sees it");
    // Repaired rows are back; deleted ones take their entry with them.
    for sql in [
        "UPDATE message SET recipients = (SELECT recipients FROM message WHERE id = '00000000-0000-0000-0000-000000000003'),
             state = 'queued', next_at = updated_at WHERE id = '00000000-0000-0000-0000-000000000001'",
        "UPDATE profile SET security = 'tls' WHERE id = '00000000-0000-0000-0000-000000000001'",
        "DELETE FROM quarantine WHERE kind = 'profile'",
        "DELETE FROM event WHERE id = '?'",
        "DELETE FROM oauth_grant",
    ] {
        execute(sql).await;
    }
    store.purge(at(0), at(0), 9).await.unwrap();
    assert_eq!(store.queue_metrics(at(2)).await.unwrap().quarantined, 1, "the lane");
    assert_eq!(store.due_lanes("", at(3), 9).await.unwrap(), [queue(&shop)]);
    let claimed = super::claim(store, &shop, "three", at(3), at(30), 9).await;
    assert_eq!(claimed.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [1]);
    assert_eq!(store.profiles_to_check(at(2), 9).await.unwrap().len(), 2);
}
