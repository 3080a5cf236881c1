//! Slots and places that others wait for: probes, conversations, servers that are gone.

use app::diagnosis::cause::Cause;

use super::{super::destinations::key::profile_key, *};
use crate::{
    admission::{Claimant, Party},
    events::profile_transition,
    store::outbox::{Claim, Passage},
};

#[tokio::test]
async fn a_probe_whose_process_was_killed_leaves_the_server_when_its_lease_ends() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let id = post.give(&message("martin", "Après la panne")).await;
    let (now, key) = (post.application.outbox.now(), profile_key(&account("martin"), profile));
    // The server failed; a process probes it, and is killed.
    let earlier = now - SignedDuration::from_secs(60);
    let trouble = |rest: crate::store::outbox::Rest| {
        rest.after_trouble(earlier, Some(Cause::Timeout), false, |_| Duration::from_secs(1))
    };
    post.store.rest_destination(&key, &trouble).await.unwrap();
    let claim = Claim {
        queue: Queue { lane: Lane { account: account("martin"), user: None }, fallback: false },
        destination: Some(key),
        lease_token: "dead".to_owned(),
        now,
        until: now + SignedDuration::from_secs(2),
        limit: 9,
    };
    let claimed = post.store.claim_through(&[claim]).await.unwrap();
    assert_eq!((claimed[0].passage, claimed[0].messages.len()), (Passage::Probe, 1));
    post.application.outbox.start();
    // Within ten seconds: a dead server delays only its own message.
    let done = post.until(&id, "accepted").await;
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{done:#}");
}

#[tokio::test]
async fn a_damaged_row_is_set_aside_told_of_once_and_holds_nobody_up() {
    let post = Post::new().await;
    post.profile("martin", "boutique").await;
    let damaged = post.give(&message("martin", "Abîmé")).await;
    let good = post.give(&message("martin", "Intact")).await;
    let event = "INSERT INTO event (id, portal, content, created_at, next_at, tries) VALUES ('?', 'demo', '{}', 9000000000000, 1, 0)";
    for sql in [&format!("UPDATE message SET recipients = '[{{' WHERE id = '{damaged}'"), event] {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(post.store.raw()).await.unwrap();
    }
    // The readable fields are shown, and the list shows the other messages.
    let seen = post.get(&format!("/api/v1/messages/{damaged}")).await.1;
    assert_eq!((&seen["state"], &seen["subject"]), (&json!("quarantined"), &json!("Abîmé")));
    let (status, page) = post.get("/api/v1/messages?account=martin").await;
    assert_eq!((status, page["messages"].as_array().map(Vec::len)), (StatusCode::OK, Some(2)), "{page}");
    post.application.outbox.start();
    post.until(&good, "accepted").await;
    let told = async || {
        let events = post.events().await;
        events.into_iter().filter(|event| event["type"] == "message.quarantined").collect::<Vec<_>>()
    };
    for _ in 0..100 {
        if !told().await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let told = told().await;
    assert_eq!(told.len(), 1, "once");
    assert_eq!(told[0]["data"]["message"], json!(damaged));
    let metrics = post.store.queue_metrics(post.application.outbox.now()).await.unwrap();
    assert_eq!((metrics.quarantined, metrics.queued, metrics.sending), (2, 0, 0), "the message and the event");
    // Once repaired, it is sent.
    let repair = format!(
        "UPDATE message SET recipients = (SELECT recipients FROM message WHERE id = '{good}') WHERE id = '{damaged}'"
    );
    let back = format!(
        "UPDATE message SET recipients = replace(recipients, 'accepted', 'pending'), state = 'queued', next_at = updated_at WHERE id = '{damaged}'"
    );
    for sql in [repair, back] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(post.store.raw()).await.unwrap();
    }
    post.until(&damaged, "accepted").await;
    assert_eq!(post.store.queue_metrics(post.application.outbox.now()).await.unwrap().quarantined, 1);
}

#[tokio::test]
async fn damaged_lanes_claims_and_profiles_hold_up_only_what_is_theirs() {
    let post = Post::new().await;
    for name in ["martin", "dubois", "lea"] {
        post.profile(name, "boutique").await;
    }
    let ids = [
        post.give(&message("martin", "Sa ligne")).await,
        post.give(&message("dubois", "Son profil")).await,
        post.give(&message("lea", "Intact")).await,
    ];
    for sql in [
        "UPDATE lane SET lane = 'x' WHERE account = 'martin'",
        "UPDATE message SET lane = 'x' WHERE account = 'martin'",
        "UPDATE profile SET security = '?', check_hourly = 1 WHERE account = 'dubois'",
    ] {
        sqlx::query(sql).execute(post.store.raw()).await.unwrap();
    }
    let outbox = &post.application.outbox;
    // The health of a profile that cannot be decoded stays, and the outcome of its message is written all the same.
    let id = ProfileId::parse(
        &sqlx::query_scalar::<_, String>("SELECT id FROM profile WHERE account = 'dubois'")
            .fetch_one(post.store.raw())
            .await
            .unwrap(),
    );
    let report = crate::store::outbox::HealthReport {
        profile: id.unwrap(),
        fingerprint: [0; 32],
        signal: app::profile::sending::HealthSignal::Sent,
        failure: None,
        check: false,
    };
    assert_eq!(
        post.store.record_health(&account("dubois"), &report, outbox.now(), Some(profile_transition)).await.unwrap(),
        None
    );
    // Drops the cached route.
    post.profiles.changed(&account("dubois")).await;
    outbox.start();
    post.until(&ids[2], "accepted").await;
    let waiting = post.until(&ids[1], "deferred").await;
    assert_eq!(waiting["cause"], "unknown", "not its owner's fault");
    let far = outbox.now() + SignedDuration::from_hours(99);
    assert_eq!(post.store.profiles_to_check(far, 9).await.unwrap(), []);
    assert_eq!(post.store.due_lanes("", outbox.now(), 9).await.unwrap(), []);
    let kinds: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM quarantine ORDER BY kind").fetch_all(post.store.raw()).await.unwrap();
    assert_eq!(kinds, ["lane", "profile"]);
    assert_eq!(post.get(&format!("/api/v1/messages/{}", ids[0])).await.1["state"], "quarantined");
}

#[tokio::test]
async fn a_check_takes_a_place_like_every_other_conversation() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let options = SendingOptions { check_hourly: true, ..SendingOptions::default() };
    post.profiles.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
    let outbox = &post.application.outbox;
    let claimant = Claimant::new(Party::Account(account("martin")), "elsewhere.example");
    let mut slots = Vec::new();
    while let Ok(slot) = outbox.admission.enter(&claimant) {
        slots.push(slot);
    }
    outbox.check_logins().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(post.logins(), 0, "its account has used up its share");
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
        if row.health.checked_at.is_some() && outbox.admission.counts() == (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the conversation must end and free its slot: {:?}", outbox.admission.counts());
}

#[tokio::test]
async fn a_message_of_an_account_without_a_server_says_so() {
    let post = Post::new().await;
    let elsewhere = app::session::AccountId { portal: "other".to_owned(), ..account("martin") };
    // Accepted while there was still a server.
    let lane = Lane { account: elsewhere.clone(), user: None };
    let now = post.application.outbox.now();
    let row = |id: Uuid, lane: &Lane| QueuedMessage {
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
    // One account chose its own servers and has none; the other account's portal has none.
    post.profiles.set(by(&elsewhere), SendingMode::OwnSmtp, None).await.unwrap();
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
