//! What every store does with login slots.

use super::*;

pub(super) async fn refused_logins_are_counted(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let key = login_key(1);
    let claim =
        |second| LoginClaim { id: Uuid::new_v4(), key, now: at(second), until: at(second) + LEASE, again_after: None };
    let claims = async |claims: &[LoginClaim]| store.claim_logins(claims, &admit).await.unwrap();
    let end = async |claim: &LoginClaim, outcome| {
        store.end_logins(&[LoginEnd { id: claim.id, key: claim.key, outcome, at: claim.now }]).await.unwrap();
    };
    let refusals = async || store.profile(&martin, id(1)).await.unwrap().unwrap().secret_refusals;
    // At most three attempts at the same time, and each refusal counts once, in any order.
    let many: Vec<LoginClaim> = (0..5).map(|_| claim(1)).collect();
    assert_eq!(claims(&many).await, [Granted, Granted, Granted, Busy, Busy]);
    end(&many[0], LoginOutcome::Refused).await;
    assert_eq!((refusals().await, claims(&[claim(2)]).await), (1, vec![Busy]));
    end(&many[1], LoginOutcome::Refused).await;
    end(&many[2], LoginOutcome::Unclear).await;
    let last = claim(3);
    assert_eq!(claims(&[last, claim(3)]).await, [Granted, Busy], "one at a time");
    end(&last, LoginOutcome::Refused).await;
    assert_eq!((refusals().await, claims(&[claim(4)]).await), (3, vec![Refused]));
    // Changed settings do not reset the count; entering the secret again does.
    assert!(update(store, &martin, id(1), &Settings { sender_name: "x".to_owned(), ..settings(None) }, None).await);
    assert_eq!(refusals().await, 3);
    let typed = SealedSecret { sealed: vec![8], changed_at: at(5), login_key: key };
    assert!(update(store, &martin, id(1), &settings(None), Some(&typed)).await);
    assert_eq!(refusals().await, 0);
    // A secret that a fix seals again was not typed.
    let tried = claim(6);
    assert_eq!(claims(&[tried]).await, [Granted]);
    end(&tried, LoginOutcome::Refused).await;
    let along =
        |row: &ProfileRow| row.with_secret_along(settings(None), SealedSecret { sealed: vec![7], ..typed.clone() });
    assert!(edit(store, &martin, id(1), along).await);
    assert_eq!(refusals().await, 1);
    // Another secret has its own count; outcomes of the old one do not change it.
    let old = claim(7);
    assert_eq!(claims(&[old]).await, [Granted]);
    let fresh = SealedSecret { sealed: vec![6], changed_at: at(8), login_key: [99; 32] };
    assert!(update(store, &martin, id(1), &settings(None), Some(&fresh)).await);
    end(&old, LoginOutcome::Refused).await;
    assert_eq!(refusals().await, 0);
    let fresh_one = LoginClaim { key: [99; 32], ..claim(9) };
    assert_eq!(claims(&[fresh_one]).await, [Granted]);
    end(&fresh_one, LoginOutcome::Refused).await;
    let old = LoginClaim { id: old.id, ..claim(9) };
    end(&old, LoginOutcome::Accepted).await;
    assert_eq!(refusals().await, 1, "a login with the old secret does not reset its count");
    end(&LoginClaim { key: [99; 32], ..claim(10) }, LoginOutcome::Accepted).await;
    assert_eq!(refusals().await, 0);
    // The slot of a dead holder expires, an extended one does not; and a clock set back keeps none.
    let crashed: Vec<LoginClaim> = (0..3).map(|_| claim(20)).collect();
    assert_eq!(claims(&crashed).await, [Granted; 3]);
    store.prolong_login(crashed[0].id, at(49) + LEASE).await.unwrap();
    assert_eq!(claims(&[claim(49)]).await, [Busy]);
    let after: Vec<LoginClaim> = (0..3).map(|_| claim(50)).collect();
    assert_eq!(claims(&after).await, [Granted, Granted, Busy]);
    assert_eq!(claims(&[claim(-86_400)]).await, [Granted]);
}

pub(super) async fn a_batch_of_ends_keeps_its_order(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let key = login_key(1);
    let end = |outcome| LoginEnd { id: Uuid::new_v4(), key, outcome, at: at(1) };
    let refusals = async || store.profile(&martin, id(1)).await.unwrap().unwrap().secret_refusals;
    let (refused, accepted) = (|| end(LoginOutcome::Refused), || end(LoginOutcome::Accepted));
    store.end_logins(&[refused(), refused(), accepted()]).await.unwrap();
    assert_eq!(refusals().await, 0);
    store.end_logins(&[refused(), accepted(), refused(), end(LoginOutcome::Unclear)]).await.unwrap();
    assert_eq!(refusals().await, 1);
    store.end_logins(&[]).await.unwrap();
    assert!(store.claim_logins(&[], &admit).await.unwrap().is_empty());
}
