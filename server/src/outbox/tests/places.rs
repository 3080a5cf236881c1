//! Who holds what others wait for: probes, places for conversations, servers that are not there.

use app::diagnosis::cause::Cause;

use super::{super::destinations::profile_key, *};
use crate::{
    admission::{Claimant, Party},
    store::outbox::{Claim, Passage},
};

#[tokio::test]
async fn a_probe_whose_process_was_killed_leaves_the_server_when_its_lease_ends() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let id = post.give(&message("martin", "Après la panne")).await;
    let (now, key) = (post.application.outbox.now(), profile_key(&account("martin"), profile));
    // The server was in trouble; a process tries it, and is killed.
    let earlier = now - SignedDuration::from_secs(60);
    let trouble = |rest: crate::store::outbox::Rest| {
        rest.after_trouble(earlier, Some(Cause::Timeout), false, |_| Duration::from_secs(1))
    };
    post.store.rest_destination(&key, &trouble).await.unwrap();
    let claim = Claim {
        queue: Queue { lane: Lane { account: account("martin"), user: None }, fallback: false },
        destination: Some(key),
        owner: "dead".to_owned(),
        now,
        until: now + SignedDuration::from_secs(2),
        limit: 9,
    };
    let claimed = post.store.claim_through(&[claim]).await.unwrap();
    assert_eq!((claimed[0].passage, claimed[0].messages.len()), (Passage::Probe, 1));
    post.application.outbox.start();
    // Within ten seconds: nobody waits for the dead one any longer than for its message.
    let done = post.until(&id, "accepted").await;
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{done:#}");
}

#[tokio::test]
async fn a_check_takes_a_place_like_every_other_conversation() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let options = SendingOptions { check_hourly: true, ..SendingOptions::default() };
    post.book.set_sending(by(&account("martin")), profile, options, None).await.unwrap();
    let outbox = &post.application.outbox;
    let claimant = Claimant::new(Party::Account(account("martin")), "elsewhere.example");
    let mut slots = Vec::new();
    while let Ok(slot) = outbox.admission.enter(&claimant) {
        slots.push(slot);
    }
    outbox.check_logins().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(post.logins(), 0, "its account has its share");
    slots.clear();
    outbox.check_logins().await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if post.logins() > 0 {
            break;
        }
    }
    assert_eq!(post.logins(), 1);
    for _ in 0..100 {
        let row = post.store.profile(&account("martin"), profile).await.unwrap().unwrap();
        if row.health.checked_at.is_some() && outbox.admission.figures() == (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it ends, and gives its place back: {:?}", outbox.admission.figures());
}

#[tokio::test]
async fn a_message_of_an_account_without_a_server_says_so() {
    let post = Post::new().await;
    let elsewhere = app::session::AccountId { portal: "other".to_owned(), ..account("martin") };
    // Taken over while there was a server.
    let lane = Lane { account: elsewhere.clone(), user: None };
    let now = post.application.outbox.now();
    let row = |id: Uuid, lane: &Lane| NewMessage {
        id,
        lane: lane.clone(),
        idempotency_key: None,
        request_hash: [1; 32],
        message_id: format!("{id}@x.example"),
        reference: None,
        subject: "Devis".to_owned(),
        size: 1,
        recipients: vec![],
        at: now,
        expires_at: now + SignedDuration::from_hours(1),
        sealed: vec![1],
    };
    let (own, relay) = (Uuid::new_v4(), Uuid::new_v4());
    let of_portal =
        Lane { account: app::session::AccountId { account: "dubois".to_owned(), ..elsewhere.clone() }, user: None };
    post.store.insert_messages(&[row(own, &lane), row(relay, &of_portal)]).await.unwrap();
    // One account chose its own servers and has none; the portal of the other has none.
    post.book.set(by(&elsewhere), SendingMode::OwnSmtp, None).await.unwrap();
    post.application.outbox.start();
    for id in [own, relay] {
        let mut last = None;
        for _ in 0..100 {
            last = post.store.message("other", id).await.unwrap();
            if last.as_ref().is_some_and(|row| row.state == MessageState::Deferred) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let row = last.unwrap();
        assert_eq!((row.state, row.cause), (MessageState::Deferred, Some(Cause::NoServer)));
    }
}
