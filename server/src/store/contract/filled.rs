//! A store with something in every table: messages in every state, attempts, events, back-off.

use std::time::Duration;

use mail::smtp::LoginOutcome;

use super::{
    queue::{LEASE, commit_mark, lane, message, settlement},
    *,
};
use crate::{
    events::profile_transition,
    store::outbox::{Assignment, HealthReport, MessageState, NewEvent, Precondition, QueuedMessage, Rest, Settlement},
    time::{Mark, between},
};

/// Fills an empty store by its own methods. The caller may damage the recipients of message number 9.
pub(crate) async fn fill(store: &impl Store) {
    let (martin, claire) = (account("martin"), Person { account: account("martin"), id: "claire".to_owned() });
    store.set_canary(&[1, 2, 0, 255]).await.unwrap();
    store.heartbeat(at(1)).await.unwrap();
    store.pass_time(&Mark { wall: at(2), boot: "a".into(), up: Duration::from_secs(1) }, between).await.unwrap();
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    for number in 0..3_u8 {
        store.insert_session(&super::session(number)).await.unwrap();
        store.use_token("demo", &[number; 32], at(500)).await.unwrap();
    }
    let draft = KeptDraft { form: "form-0001".to_owned(), revision: Some(3), ..KeptDraft::default() };
    store.keep_draft(&claire, &draft, at(1)).await.unwrap();
    for (number, user) in [(1, None), (2, Some("karim")), (3, None)] {
        insert(store, &martin, &row(number, user)).await;
    }
    let claim = |number| LoginClaim {
        id: Uuid::new_v4(),
        key: login_key(number),
        now: at(1),
        until: at(30),
        again_after: None,
    };
    let claims = [claim(1), claim(2)];
    store.claim_logins(&claims, &admit).await.unwrap();
    let end = LoginEnd { id: claims[0].id, key: claims[0].key, outcome: LoginOutcome::Refused, at: at(2) };
    store.end_logins(&[end]).await.unwrap();
    let print = fingerprint(&store.profile(&martin, id(1)).await.unwrap().unwrap());
    store.record_test(&martin, id(1), &super::run(3, None), &told(&print, Some(&receipt()))).await.unwrap();
    let report = HealthReport {
        profile: id(1),
        fingerprint: print,
        signal: app::profile::sending::HealthSignal::Failed(Cause::BadCredentials),
        failure: Some(Box::new(super::run(4, Some(Cause::BadCredentials)))),
        check: false,
    };
    for second in 4..8 {
        store.record_health(&martin, &report, at(second), Some(profile_transition)).await.unwrap();
    }
    insert(store, &martin, &grants::with_grant(4)).await;
    let lease = grants::lease(4, 1, 1);
    assert!(store.lease_grant(lease, at(1), at(31)).await.unwrap());
    assert!(store.insert_sign_in(&sign_ins::sign_in(1), at(1), 9).await.unwrap());
    assert!(store.use_ticket(&[1; 32], &[5; 32], at(1)).await.unwrap().is_some());
    messages(store).await;
}

async fn messages(store: &impl Store) {
    let (shop, user, other) = (lane("martin", None), lane("martin", Some("karim")), lane("dubois", None));
    let given: Vec<_> = (1..=9)
        .map(|number| QueuedMessage {
            idempotency_key: Some(format!("key-{number}")),
            sealed: vec![u8::try_from(number).unwrap(); 3_000],
            subject: "Votre devis \u{e9}\u{2019}\u{1f4e6}".to_owned(),
            ..message(number, if number < 7 { &shop } else { &user }, 1)
        })
        .collect();
    store.insert_messages(&given).await.unwrap();
    store.insert_messages(&[message(20, &other, 1), message(21, &other, 1)]).await.unwrap();
    super::claim(store, &shop, LEASE, at(2), at(900), 5).await;
    store.mark_commit(&[commit_mark(5, LEASE, Some(&["a@x.example"]))], at(3)).await.unwrap();
    let event = NewEvent {
        id: Uuid::from_u128(77),
        portal: "demo".to_owned(),
        content: r#"{"type":"message.accepted"}"#.to_owned(),
        at: at(3),
    };
    let settled = [
        Settlement { event: Some(event), ..settlement(1, &shop, MessageState::Accepted, 4) },
        settlement(2, &shop, MessageState::Failed, 4),
        settlement(3, &shop, MessageState::DeliveryUnknown, 4),
        Settlement { fallback: true, ..settlement(4, &shop, MessageState::Deferred, 4) },
    ];
    assert!(settled.iter().all(|one| one.precondition == Precondition::Lease(LEASE.to_owned())));
    let done = store.settle(&settled).await.unwrap();
    assert!(done.iter().all(|outcome| outcome.done), "5 is being sent, and has a commit mark");
    let assigned = Assignment { queue: super::queue::queue(&other), destination: "smtp.exemple.fr".to_owned() };
    store.assign(&[assigned]).await.unwrap();
    let trouble = |rest: Rest| rest.after_trouble(at(4), Some(Cause::Timeout), false, |_| Duration::from_secs(600));
    store.rest_destination("smtp.exemple.fr", &trouble).await.unwrap();
    store.rest_lane(&super::queue::queue(&user), at(700), Some(Cause::BadCredentials)).await.unwrap();
}

/// Damages what [`fill`] made, as a disk might, and lets the store find it.
pub(crate) async fn damage(store: &impl Store, execute: impl AsyncFn(&'static str)) {
    execute("UPDATE message SET recipients = '[{' WHERE id = '00000000-0000-0000-0000-000000000009'").await;
    store.wake(&account("martin"), at(800)).await.unwrap();
    super::claim(store, &lane("martin", Some("karim")), "two", at(801), at(830), 9).await;
    let found = store.newly_quarantined(9).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
}
