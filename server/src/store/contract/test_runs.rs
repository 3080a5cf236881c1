//! What every store does with tests and their receipts.

use super::*;

pub(super) async fn tests_are_kept_with_their_profile(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
    for second in 0..30 {
        assert!(store.record_test(&martin, id(1), &run(second, None), &told(&[7; 32], None)).await.unwrap());
    }
    let failed = run(40, Some(Cause::BadCredentials));
    assert!(store.record_test(&martin, id(1), &failed, &told(&[8; 32], None)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), Some(failed));
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    let tested = Tested {
        fingerprint: [8; 32],
        at: at(40),
        verdict: Verdict::Failed,
        cause: Some(Cause::BadCredentials),
        received_at: None,
    };
    assert_eq!(after.tested, Some(tested));
    // A test of the former settings ends after one of the present ones: it does not replace it.
    let (before, now) = ([8; 32], fingerprint(&after));
    let well = run(45, None);
    assert!(store.record_test(&martin, id(1), &well, &told(&now, Some(&receipt()))).await.unwrap());
    let late = run(46, Some(Cause::Timeout));
    assert!(store.record_test(&martin, id(1), &late, &told(&before, None)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), Some(well));
    let tested = store.profile(&martin, id(1)).await.unwrap().unwrap().tested.unwrap();
    assert_eq!((tested.fingerprint, tested.at, tested.verdict), (now, at(45), Verdict::Accepted));
    assert!(store.try_receipt(&martin, id(1), at(47)).await.unwrap().is_some(), "nor does it replace the receipt");
    assert_eq!(store.journal(&martin, None, 1).await.unwrap().len(), 1);
    let fresh = SealedSecret { sealed: vec![9], changed_at: at(50), login_key: [9; 32] };
    update(store, &martin, id(1), &settings(None), Some(&fresh)).await;
    assert_eq!(
        store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
}

pub(super) async fn a_receipt_is_confirmed_once(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let with_receipt = async || {
        assert!(store.record_test(&martin, id(1), &run(1, None), &told(&[7; 32], Some(&receipt()))).await.unwrap());
    };
    let received_at = async || store.profile(&martin, id(1)).await.unwrap().unwrap().tested.unwrap().received_at;
    let tries_left = async |now| store.try_receipt(&martin, id(1), now).await.unwrap().map(|found| found.tries_left);
    assert_eq!(tries_left(at(2)).await, None, "no test, no receipt");
    with_receipt().await;
    assert_eq!(tries_left(at(100)).await, None, "expired");
    assert_eq!(tries_left(at(2)).await, Some(1));
    assert_eq!(tries_left(at(2)).await, Some(0), "the last try counts");
    assert_eq!(tries_left(at(2)).await, None);
    assert_eq!(received_at().await, None);
    with_receipt().await;
    let found = store.try_receipt(&martin, id(1), at(2)).await.unwrap().unwrap();
    assert_eq!(found, Receipt { tries_left: 1, ..receipt() });
    let other = Receipt { code: [5; 32], ..receipt() };
    assert!(!store.confirm_receipt(&martin, id(1), &other, at(3), &tell).await.unwrap(), "another test replaced it");
    assert!(store.confirm_receipt(&martin, id(1), &found, at(3), &tell).await.unwrap());
    assert_eq!(received_at().await, Some(at(3)));
    assert!(!store.confirm_receipt(&martin, id(1), &found, at(4), &tell).await.unwrap(), "once");
    assert_eq!(tries_left(at(4)).await, None);
    assert!(store.record_test(&martin, id(1), &run(5, None), &told(&[7; 32], None)).await.unwrap());
    assert_eq!(received_at().await, Some(at(3)), "a receipt stays, with the same settings");
    assert!(store.record_test(&martin, id(1), &run(6, None), &told(&[8; 32], None)).await.unwrap());
    assert_eq!(received_at().await, None, "other settings reset it");
    assert_eq!(tries_left(at(6)).await, None);
}
