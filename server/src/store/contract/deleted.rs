//! What every store does with profiles that were deleted a moment ago.

use super::*;

const SESSION: [u8; 32] = [7; 32];

async fn delete(store: &dyn Store, account: &AccountId, id: ProfileId, successor: Successor) {
    let aside = Aside { session: SESSION, until: at(10) };
    let deletion = Deletion { successor, revision: None, aside };
    assert_eq!(store.delete_profile(account, id, deletion, &tell).await.unwrap(), Written::Done);
}

pub(super) async fn a_deleted_profile_comes_back_whole(store: &(impl Store + Sized)) {
    let martin = account("martin");
    for number in 1..=3 {
        insert(store, &martin, &row(number, None)).await;
    }
    let print = fingerprint(&store.profile(&martin, id(1)).await.unwrap().unwrap());
    store.record_test(&martin, id(1), &run(3, None), &told(&print, Some(&receipt()))).await.unwrap();
    let before = store.profile(&martin, id(1)).await.unwrap().unwrap();
    assert!(before.in_use && before.secret.is_some() && before.tested.is_some());
    delete(store, &martin, id(1), Successor::One(id(2))).await;
    // It behaves as deleted.
    assert_eq!(store.profile(&martin, id(1)).await.unwrap(), None);
    assert_eq!(in_use(store, &martin).await, [id(2)]);
    assert_eq!(store.profiles(&martin, None, 9).await.unwrap().len(), 2);
    assert!(store.secrets(None, 9).await.unwrap().iter().all(|one| one.row.id != id(1)));
    let mut keep = |row: &ProfileRow| Change::Edit(Box::new(row.clone()), some_entry());
    assert!(!store.change_profile(&martin, id(1), &mut keep).await.unwrap());
    // No other account or session restores it, and none after the time.
    let restore = async |account: &AccountId, id, session: [u8; 32], second| {
        let restored = store
            .restore_profile(account, id, RestoreRequest { session: &session, at: at(second) }, 3, &tell)
            .await
            .unwrap();
        assert_ne!(restored, Restored::Full);
        restored == Restored::Done
    };
    assert!(!restore(&account("dubois"), id(1), SESSION, 5).await, "another account");
    assert!(!restore(&martin, id(1), [8; 32], 5).await, "another session");
    assert!(!restore(&martin, id(1), SESSION, 10).await, "too late");
    assert!(!restore(&martin, id(2), SESSION, 5).await, "not deleted");
    let found = store.deleted_profile(&martin, id(1), RestoreRequest { session: &SESSION, at: at(5) }).await.unwrap();
    assert_eq!(found.map(|row| row.settings), Some(before.settings.clone()));
    assert_eq!(
        store.deleted_profile(&martin, id(1), RestoreRequest { session: &[8; 32], at: at(5) }).await.unwrap(),
        None
    );
    assert!(restore(&martin, id(1), SESSION, 9).await);
    assert_eq!(store.profile(&martin, id(1)).await.unwrap(), Some(before), "secret, test and use are as they were");
    assert_eq!(in_use(store, &martin).await, [id(1)]);
    assert!(!restore(&martin, id(1), SESSION, 9).await, "once");
}

pub(super) async fn a_restored_profile_takes_nothing_from_a_later_choice(store: &(impl Store + Sized)) {
    let martin = account("martin");
    for number in 1..=3 {
        insert(store, &martin, &row(number, None)).await;
    }
    delete(store, &martin, id(1), Successor::One(id(2))).await;
    assert_eq!(store.put_in_use(&martin, id(3), None, &tell).await.unwrap(), Written::Done);
    let restore = async |id, most| {
        store.restore_profile(&martin, id, RestoreRequest { session: &SESSION, at: at(5) }, most, &tell).await.unwrap()
    };
    assert_eq!(restore(id(1), 2).await, Restored::Full, "the account has two by now");
    assert_eq!(restore(id(1), 3).await, Restored::Done);
    assert_eq!(in_use(store, &martin).await, [id(3)], "it was put in use meanwhile");
    // Without a successor, the restored profile is in use again.
    delete(store, &martin, id(3), Successor::Nobody).await;
    assert!(in_use(store, &martin).await.is_empty());
    assert_eq!(restore(id(3), 3).await, Restored::Done);
    assert_eq!(in_use(store, &martin).await, [id(3)]);
}

pub(super) async fn a_deleted_profile_is_forgotten_when_its_time_is_over(store: &(impl Store + Sized)) {
    let martin = account("martin");
    for number in 1..=2 {
        insert(store, &martin, &row(number, None)).await;
    }
    delete(store, &martin, id(1), Successor::Best).await;
    assert_eq!(store.forget_deleted(at(9)).await.unwrap(), 0);
    assert_eq!(store.forget_deleted(at(10)).await.unwrap(), 1);
    let restored =
        store.restore_profile(&martin, id(1), RestoreRequest { session: &SESSION, at: at(9) }, 9, &tell).await.unwrap();
    assert_eq!(restored, Restored::Gone);
    assert_eq!(store.profiles(&martin, None, 9).await.unwrap().len(), 1);
}
