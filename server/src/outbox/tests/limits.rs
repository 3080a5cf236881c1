//! Limits of connections at once, and of messages a day.

use super::{
    crowd::{Crowd, MANNER, Manner},
    *,
};

#[tokio::test]
async fn many_messages_share_few_connections_and_stopping_loses_none() {
    let post = Post::new().await;
    post.profile("martin", "boutique").await;
    let mut ids = Vec::new();
    for number in 0..60 {
        ids.push(post.give(&message("martin", &format!("Série {number}"))).await);
    }
    post.application.outbox.start();
    post.until(&ids[5], "accepted").await;
    assert!(post.application.outbox.connections().0 <= 2, "the limit of connections holds");
    post.application.outbox.stop(Duration::from_secs(10)).await;
    let states = async || {
        let rows = post.store.messages(&account("martin"), None, None, 99).await.unwrap();
        rows.iter().map(|row| row.message.state).collect::<Vec<_>>()
    };
    assert!(!states().await.contains(&MessageState::Sending), "unsent messages were released");
    let again = Post::of(post.store.clone()).await;
    // The profile's server is the first sandbox, which still runs.
    again.application.outbox.start();
    for id in &ids {
        // The second sandbox trusts another authority, so either the profile fails for good, or the first sandbox had
        // the message.
        let mut state = Value::Null;
        for _ in 0..200 {
            state = again.get(&format!("/api/v1/messages/{id}")).await.1["state"].clone();
            if ["accepted", "failed", "deferred"].iter().any(|known| state == *known) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(state != "sending" && state != "queued", "{state}");
    }
    let arrived = (0..60).filter(|number| post.arrived(&format!("Série {number}")).len() == 1).count();
    let accepted = states().await.iter().filter(|state| **state == MessageState::Accepted).count();
    assert_eq!(arrived, accepted, "each once");
}

#[tokio::test]
async fn the_day_s_amount_holds_to_the_message() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let options = SendingOptions { per_day: Some(5), max_connections: Some(3), ..SendingOptions::default() };
    post.profiles.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(post.give(&message("martin", &format!("Quota {number}"))).await);
    }
    post.application.outbox.start();
    let waiting = post.until(&ids[11], "deferred").await;
    assert_eq!(waiting["cause"], "quota_exceeded");
    let arrived = (0..12).filter(|number| !post.arrived(&format!("Quota {number}")).is_empty()).count();
    assert_eq!(arrived, 5);
}

/// A server counts a connection until it is closed, not until the client has no more use for it.
#[tokio::test]
async fn a_connection_that_is_being_closed_counts() {
    let (crowd, at) = Crowd::start(Manner { thinks: Duration::MAX, ..MANNER }).await;
    let options = OutboxOptions { last_reply: Duration::from_millis(300), ..options() };
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let post = Post::made(store, options, "boutique", Some(at), post::START).await;
    let profile = post.save_at("martin", None, at).await;
    let options = SendingOptions { max_connections: Some(1), ..SendingOptions::default() };
    post.profiles.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(post.give(&message("martin", &format!("Sans réponse {number}"))).await);
    }
    post.application.outbox.start();
    for id in &ids {
        post.until(id, "delivery_unknown").await;
    }
    assert_eq!((crowd.everybody(), crowd.most_open()), (Vec::new(), 1));
}
