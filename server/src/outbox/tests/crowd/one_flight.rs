//! Messages of a lane, each begun with the end of the previous one.

use super::*;

const PIPELINING: &str = "250-PIPELINING\r\n";
const COUNT: usize = 30;

/// Enqueues messages before anything is sent, and waits until all of them have arrived.
async fn send_all(manner: Manner) -> (Post, Arc<Crowd>, Vec<String>) {
    let (crowd, at) = Crowd::start(manner).await;
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let options = OutboxOptions { reply: Duration::from_millis(700), ..options() };
    let post = Post::made(store, options, "boutique", Some(at), post::START).await;
    post.save_at("martin", None, at).await;
    let mut ids = Vec::new();
    for number in 0..COUNT {
        ids.push(post.give(&to_many(&format!("Numéro {number}"), &[format!("p{number:03}@client.example")])).await);
    }
    post.application.outbox.start();
    for id in &ids {
        let done = post.until(id, "accepted").await;
        assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{done:#}");
    }
    (post, crowd, ids)
}

#[tokio::test]
async fn the_next_message_begins_with_the_end_of_the_one_before() {
    let (_post, crowd, _) = send_all(Manner { keywords: PIPELINING, ..MANNER }).await;
    assert_eq!(crowd.everybody(), people(COUNT));
    let ahead = crowd.ahead.load(Ordering::SeqCst);
    assert!(ahead >= COUNT / 2, "{ahead}");
}

#[tokio::test]
async fn a_server_without_pipelining_has_nothing_begun_ahead() {
    let (_post, crowd, _) = send_all(MANNER).await;
    assert_eq!(crowd.everybody(), people(COUNT));
    assert_eq!(crowd.ahead.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_loses_what_follows_a_message_is_soon_spared_it() {
    let manner = Manner { keywords: PIPELINING, forgets: true, ..MANNER };
    let (_post, crowd, _) = send_all(manner).await;
    assert_eq!(crowd.everybody(), people(COUNT), "each once");
    // One on each connection that was open at that moment.
    let ahead = crowd.ahead.load(Ordering::SeqCst);
    assert!((1..COUNT / 2).contains(&ahead), "{ahead}");
}

#[tokio::test]
async fn who_is_refused_is_told_of_with_the_right_message() {
    let (crowd, at) = Crowd::start(Manner { keywords: PIPELINING, ..MANNER }).await;
    let post = Post::without_retries(at).await;
    post.save_at("martin", None, at).await;
    let mut ids = Vec::new();
    for number in 0..COUNT {
        let name = if number % 3 == 0 { "refused" } else { "p" };
        let to = format!("{name}{number}@client.example");
        ids.push((name, post.give(&to_many(&format!("Numéro {number}"), &[to])).await));
    }
    post.application.outbox.start();
    for (name, id) in &ids {
        let done = post.until(id, if *name == "p" { "accepted" } else { "failed" }).await;
        let address = done["recipients"][0]["address"].as_str().unwrap();
        assert!(address.starts_with(name), "{done:#}");
    }
    assert_eq!(crowd.everybody().len(), COUNT - COUNT.div_ceil(3));
}
