//! Clocks that are set while messages wait, are sent, or are held; machines that were off.

use app::diagnosis::cause::Cause;

use super::{
    super::destinations::{DestinationId, DestinationRef, key::profile_key},
    crowd::{Crowd, MANNER, Manner},
    *,
};

const DAY: i64 = 86_400;

/// A message that waits a few seconds for its server.
async fn waiting(post: &Post, profile: ProfileId, subject: &str) -> String {
    let (rest, key) = (Duration::from_secs(6), profile_key(&account("martin"), profile));
    let server = DestinationRef { id: &DestinationId::Profile(profile), key: &key };
    post.application.outbox.rest(server, Some(Cause::ServerBusy), false, |_| rest).await;
    let id = post.give(&message("martin", subject)).await;
    post.until(&id, "deferred").await;
    id
}

/// A message that waits ten seconds in an outbox that is not running.
async fn left_behind(post: &Post, subject: &str) -> String {
    let id = post.give(&message("martin", subject)).await;
    let lane = Lane { account: account("martin"), user: None };
    let now = post.application.outbox.now();
    let later = |seconds| now + SignedDuration::from_secs(seconds);
    // An earlier message may be due too.
    let claimed = crate::store::contract::claim(&*post.store, &lane, "nobody", now, later(60), 9).await;
    let ids: Vec<_> = claimed.iter().map(|message| message.id).collect();
    assert!(ids.contains(&id.parse().unwrap()));
    post.store.release("nobody", &ids, later(10)).await.unwrap();
    id
}

async fn expires_at(post: &Post, id: &str) -> Timestamp {
    post.store.message("demo", id.parse().unwrap()).await.unwrap().unwrap().expires_at
}

/// Waits until a message's deadlines have moved with the clock, by this many seconds.
async fn until_it_follows(post: &Post, id: &str, (before, by): (Timestamp, i64)) {
    for _ in 0..200 {
        let moved = expires_at(post, id).await.duration_since(before) - SignedDuration::from_secs(by);
        if moved.abs() < SignedDuration::from_secs(5) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the deadlines did not move by {by} s");
}

#[tokio::test]
async fn what_waits_is_neither_late_nor_too_old_when_the_clock_is_set() {
    for jumps in [&[-DAY][..], &[DAY], &[2 * DAY, 0], &[-DAY, 365 * DAY, 0]] {
        let post = Post::new().await;
        let profile = post.profile("martin", "boutique").await;
        post.application.outbox.start();
        let id = waiting(&post, profile, "Patience").await;
        let before = expires_at(&post, &id).await;
        for jump in jumps {
            post.jumped.store(*jump, Ordering::SeqCst);
            until_it_follows(&post, &id, (before, *jump)).await;
        }
        let done = post.until(&id, "accepted").await;
        assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{jumps:?} {done:#}");
        assert_eq!(post.arrived("Patience").len(), 1, "{jumps:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_being_sent_is_sent_once_when_the_clock_is_set() {
    for jump in [-DAY, DAY] {
        let post = Post::new().await;
        post.profile("martin", "lent").await;
        post.application.outbox.start();
        let ids = [post.give(&message("martin", "Midi")).await, post.give(&message("martin", "Minuit")).await];
        post.until(&ids[0], "sending").await;
        post.jumped.store(jump, Ordering::SeqCst);
        for (id, subject) in ids.iter().zip(["Midi", "Minuit"]) {
            let done = post.until(id, "accepted").await;
            assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{jump} {done:#}");
            assert_eq!(post.arrived(subject).len(), 1, "{jump}");
        }
    }
}

#[tokio::test]
async fn what_is_held_with_its_profile_leaves_when_that_is_mended_whatever_the_clock_did() {
    for jump in [-DAY, 3 * DAY] {
        let post = Post::new().await;
        let profile = post.profile("martin", "mot-de-passe").await;
        post.application.outbox.start();
        for number in 1..=3 {
            let id = post.give(&message("martin", &format!("Perdu {number}"))).await;
            post.until(&id, "failed").await;
        }
        let id = post.give(&message("martin", "Retenu")).await;
        post.until(&id, "deferred").await;
        let before = expires_at(&post, &id).await;
        post.jumped.store(jump, Ordering::SeqCst);
        until_it_follows(&post, &id, (before, jump)).await;
        post.save("martin", Some(profile), "boutique").await;
        post.until(&id, "accepted").await;
    }
}

/// An outbox that ran and has stopped; its store, and the server of its account.
async fn ended(boot: &str, manner: Manner) -> (Post, Arc<Crowd>, u16) {
    let (crowd, at) = Crowd::start(manner).await;
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let first = Post::made(store, options(), "boutique", Some(at), (0, boot)).await;
    first.save_at("martin", None, at).await;
    first.application.outbox.start();
    let id = first.give(&message("martin", "Avant")).await;
    first.until(&id, if manner.most > 0 { "accepted" } else { "deferred" }).await;
    first.application.outbox.stop(Duration::from_secs(5)).await;
    (first, crowd, at)
}

#[tokio::test]
async fn a_clock_that_was_set_while_nobody_was_there_is_noticed_at_the_next_start() {
    for (jump, boot) in [(-DAY, "the first start"), (2 * DAY, "the first start"), (-DAY, "another start")] {
        let (first, crowd, at) = ended("the first start", MANNER).await;
        let id = left_behind(&first, "Après").await;
        let second = Post::made(first.store.clone(), options(), "boutique", Some(at), (jump, boot)).await;
        second.application.outbox.start();
        let mut state = Value::Null;
        for _ in 0..400 {
            state = second.get(&format!("/api/v1/messages/{id}")).await.1["state"].clone();
            if state == "accepted" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((state, crowd.everybody().len()), (json!("accepted"), 2), "{jump} {boot}");
    }
}

#[tokio::test]
async fn after_two_days_without_the_machine_a_message_is_tried_before_it_is_too_old() {
    let (first, crowd, at) = ended("the first start", MANNER).await;
    let id = left_behind(&first, "Vieux").await;
    let second = Post::made(first.store.clone(), options(), "boutique", Some(at), (2 * DAY, "another start")).await;
    second.application.outbox.start();
    second.until(&id, "accepted").await;
    assert_eq!(crowd.everybody().len(), 2);
    // The message is tried, and does not wait indefinitely for a server that accepts nothing.
    let (first, _crowd, at) = ended("the first start", Manner { most: 0, ..MANNER }).await;
    let id = left_behind(&first, "Trop vieux").await;
    let second = Post::made(first.store.clone(), options(), "boutique", Some(at), (2 * DAY, "another start")).await;
    second.application.outbox.start();
    // The message from before the stop is tried too, sooner or later: only the attempts of this one count.
    let mut attempts = 0;
    for _ in 0..400 {
        attempts = second.get(&format!("/api/v1/messages/{id}")).await.1["attempts"].as_array().unwrap().len();
        if attempts > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(attempts > 0, "it was tried");
    let left = expires_at(&second, &id).await.duration_since(second.application.outbox.now());
    assert!(left > SignedDuration::from_mins(50) && left <= SignedDuration::from_mins(60), "{left}");
}

#[tokio::test]
async fn a_clock_that_jumps_sends_nothing_twice() {
    let post = Post::new().await;
    post.profile("martin", "lent").await;
    post.application.outbox.start();
    let ids = [post.give(&message("martin", "Midi")).await, post.give(&message("martin", "Minuit")).await];
    post.until(&ids[0], "sending").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Far beyond every lease.
    post.jumped.store(600, Ordering::SeqCst);
    for (id, subject) in ids.iter().zip(["Midi", "Minuit"]) {
        let done = post.until(id, "accepted").await;
        assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{done:#}");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(post.arrived(subject).len(), 1);
    }
}
