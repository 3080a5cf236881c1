//! What every store does with histories.

use super::*;

pub(super) async fn a_history_is_an_account_s_own(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    for number in [1, 3, 2] {
        let entry = entry(number, i64::try_from(number).unwrap());
        store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &entry).await.unwrap();
    }
    let ids = |entries: Vec<Entry>| entries.iter().map(|entry| entry.id.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(store.journal(&martin, None, 2).await.unwrap()), [3, 2], "the newest first");
    assert_eq!(store.journal(&martin, Some(Uuid::from_u128(2)), 9).await.unwrap(), [entry(1, 1)]);
    assert!(store.journal(&dubois, None, 9).await.unwrap().is_empty());
    let a_year = SignedDuration::from_hours(24 * 365);
    store.sweep(at(2) + a_year, at(0)).await.unwrap();
    assert_eq!(ids(store.journal(&martin, None, 9).await.unwrap()), [3, 2], "kept for a year");
}

/// Every change is in the history, and a change whose entry cannot be written is not made: an entry whose id already
/// exists fails the transaction.
pub(super) async fn a_change_and_its_entry_are_one(store: &impl Store) {
    let martin = account("martin");
    store.insert_session(&session(1)).await.unwrap();
    let taken = entry(7, 1);
    store.set_sending_mode(&martin, SendingMode::Portal, None, &taken).await.unwrap();
    insert(store, &martin, &row(1, None)).await;
    insert(store, &martin, &row(2, None)).await;
    assert!(store.record_test(&martin, id(1), &run(1, None), &told(&[7; 32], Some(&receipt()))).await.unwrap());
    let entries = async || store.journal(&martin, None, 99).await.unwrap().len();
    assert_eq!(entries().await, 4, "the mode, two profiles, a test");
    let everything = async || {
        let rows = store.profiles(&martin, None, 9).await.unwrap();
        let mode = store.sending_mode(&martin).await.unwrap();
        let session = store.session(&[1; 32]).await.unwrap();
        (rows, mode, session, store.last_test(&martin, id(1)).await.unwrap(), entries().await)
    };
    let before = everything().await;
    let tell_taken = |_: &ProfileRow| taken.clone();
    let mut settings = settings(None);
    settings.sender_name = "Devis".to_owned();
    let mut decide =
        |row: &ProfileRow| Change::Edit(Box::new(row.with_settings(settings.clone(), None)), taken.clone());
    let told = TestRecord { entry: &taken, ..told(&[9; 32], None) };
    assert!(store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &taken).await.is_err());
    assert!(store.insert_profile(&martin, &row(3, None), 99, &taken).await.is_err());
    assert!(store.change_profile(&martin, id(1), &mut decide).await.is_err());
    assert!(store.put_in_use(&martin, id(2), None, &tell_taken).await.is_err());
    assert!(store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell_taken).await.is_err());
    assert!(store.record_test(&martin, id(1), &run(2, None), &told).await.is_err());
    assert!(store.confirm_receipt(&martin, id(1), &receipt(), at(2), &tell_taken).await.is_err());
    assert!(store.end_sessions(&martin, None, at(2), &taken).await.is_err());
    assert_eq!(everything().await, before, "nothing was changed without its entry");
    assert_eq!(store.try_receipt(&martin, id(1), at(2)).await.unwrap().unwrap().code, receipt().code);
    // With valid entries, all of them succeed.
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    assert!(update(store, &martin, id(1), &settings, None).await);
    assert_eq!(store.put_in_use(&martin, id(2), None, &tell).await.unwrap(), Written::Done);
    assert!(store.confirm_receipt(&martin, id(1), &receipt(), at(2), &tell).await.unwrap());
    assert_eq!(
        store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(store.end_sessions(&martin, None, at(2), &some_entry()).await.unwrap(), 1);
    assert_eq!(entries().await, 10);
    assert_eq!(store.end_sessions(&martin, None, at(2), &some_entry()).await.unwrap(), 0);
    let mut nothing = |_: &ProfileRow| Change::None;
    assert!(store.change_profile(&martin, id(2), &mut nothing).await.unwrap());
    let mut again = |_: &ProfileRow| Change::StartOver;
    assert!(store.change_profile(&martin, id(2), &mut again).await.unwrap());
    assert_eq!(entries().await, 10, "no entry where nothing changed");
}
