//! What every store does with sign-ins.

use super::*;

/// A sign-in that expires at second 600.
pub(crate) fn sign_in(number: u8) -> SignInRow {
    SignInRow {
        id: Uuid::from_u128(number.into()),
        account: account("martin"),
        session: [1; 32],
        client: "microsoft".to_owned(),
        ticket: [number; 32],
        state: [100 + number; 32],
        browser: None,
        sealed: vec![1, 2, 0],
        content: r#"{"form":"form-0001"}"#.to_owned(),
        expires_at: at(600),
        outcome: None,
    }
}

async fn begin(store: &impl Store, row: &SignInRow) {
    assert!(store.insert_sign_in(row, at(0), 9).await.unwrap());
}

pub(super) async fn a_ticket_works_once(store: &impl Store) {
    for number in [1, 2] {
        begin(store, &sign_in(number)).await;
    }
    let find = async |number: u8| store.sign_in(Uuid::from_u128(number.into())).await.unwrap();
    assert_eq!((find(1).await, find(9).await), (Some(sign_in(1)), None));
    let opened = SignInRow { browser: Some([5; 32]), ..sign_in(1) };
    assert_eq!(store.use_ticket(&[9; 32], &[5; 32], at(1)).await.unwrap(), None, "no such ticket");
    assert_eq!(store.use_ticket(&[1; 32], &[5; 32], at(1)).await.unwrap(), Some(opened.clone()));
    assert_eq!(store.use_ticket(&[1; 32], &[6; 32], at(1)).await.unwrap(), None, "another browser is too late");
    assert_eq!(find(1).await, Some(opened.clone()), "it belongs to the first one");
    assert_eq!(store.use_ticket(&[2; 32], &[5; 32], at(600)).await.unwrap(), None, "it has expired");
    assert_eq!(find(2).await, Some(sign_in(2)));
    store.end_sign_in(opened.id, r#"{"done":true}"#).await.unwrap();
    assert_eq!(find(1).await, Some(SignInRow { outcome: Some(r#"{"done":true}"#.to_owned()), ..opened }));
}

pub(super) async fn a_state_is_used_once(store: &impl Store) {
    for number in [1, 2] {
        begin(store, &sign_in(number)).await;
    }
    let used = async |number: u8, client: &str, second| {
        store.use_state(&[100 + number; 32], client, at(second)).await.unwrap()
    };
    assert_eq!(used(1, "microsoft", 2).await, UsedState::Unknown, "no browser has opened its window");
    for number in [1, 2] {
        store.use_ticket(&[number; 32], &[5; 32], at(1)).await.unwrap();
    }
    let opened = |number| Box::new(SignInRow { browser: Some([5; 32]), ..sign_in(number) });
    assert_eq!(used(9, "microsoft", 2).await, UsedState::Unknown);
    assert_eq!(used(1, "google", 2).await, UsedState::Unknown, "another client's answer");
    assert_eq!(used(2, "microsoft", 600).await, UsedState::Unknown, "it has expired");
    assert_eq!(used(1, "microsoft", 2).await, UsedState::First(opened(1)));
    assert_eq!(used(1, "microsoft", 3).await, UsedState::Again(opened(1)));
    assert_eq!(used(1, "google", 3).await, UsedState::Unknown);
    let ended = Box::new(SignInRow { outcome: Some("{}".to_owned()), ..*opened(1) });
    store.end_sign_in(ended.id, "{}").await.unwrap();
    // Kept for an hour after its end, so that a repeated answer is still recognised.
    store.sweep(at(600 + 3_600), at(0)).await.unwrap();
    assert_eq!(used(1, "microsoft", 600 + 3_600).await, UsedState::Again(ended));
    store.sweep(at(601 + 3_600), at(0)).await.unwrap();
    assert_eq!(used(1, "microsoft", 601 + 3_600).await, UsedState::Unknown);
    assert_eq!(store.sign_in(sign_in(2).id).await.unwrap(), None);
}

pub(super) async fn a_session_has_so_many_sign_ins(store: &impl Store) {
    let insert = async |row: SignInRow, second| store.insert_sign_in(&row, at(second), 2).await.unwrap();
    assert!(insert(sign_in(1), 0).await && insert(sign_in(2), 0).await);
    assert!(!insert(sign_in(3), 0).await);
    assert_eq!(store.sign_in(sign_in(3).id).await.unwrap(), None);
    assert!(insert(SignInRow { session: [2; 32], ..sign_in(4) }, 0).await, "another session's do not count");
    store.end_sign_in(sign_in(1).id, "{}").await.unwrap();
    assert!(insert(sign_in(3), 0).await, "an ended one does not count");
    assert!(!insert(sign_in(5), 599).await);
    assert!(insert(sign_in(5), 600).await, "an expired one does not count");
}
