//! Accounts whose servers withhold their replies, beside one whose server works.

use app::diagnosis::cause::Cause;

use super::{
    crowd::{Crowd, MANNER, Manner},
    post::START,
    *,
};
use crate::{
    outbox::content::{Head, Person},
    store::outbox::{RecipientKind, RecipientState},
};

async fn crowded() -> Post {
    let options = OutboxOptions { workers: 8, last_reply: Duration::from_secs(600), ..OutboxOptions::default() };
    Post::with(Arc::new(SqliteStore::in_memory().await.unwrap()), options).await
}

/// Enqueues one message and waits until it was accepted. Returns how long that took.
async fn sent_in(post: &Post, account: &str, subject: &str) -> Duration {
    let began = Instant::now();
    let id = post.give(&message(account, subject)).await;
    post.until(&id, "accepted").await;
    began.elapsed()
}

#[tokio::test]
async fn one_account_s_silent_servers_stop_nobody_else() {
    let post = crowded().await;
    post.profile("bon", "boutique").await;
    let many = SendingOptions { max_connections: Some(20), ..SendingOptions::default() };
    post.profile("muet", "muet").await;
    for number in 0..8 {
        let profile = post.save_for("muet", Some(&format!("u{number}")), None, "muet").await;
        post.profiles.set_sending(by(&account("muet")), profile, many, None.into()).await.unwrap();
    }
    post.application.outbox.start();
    for number in 0..160 {
        let mut body = message("muet", "Silence");
        body["user"] = json!(format!("u{}", number % 8));
        post.give(&body).await;
    }
    for round in 0..5 {
        let took = sent_in(&post, "bon", &format!("Tour {round}")).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let (workers, waiting) = post.application.outbox.admission.counts();
    assert!(workers + waiting <= 16, "{workers} and {waiting}");
    assert_eq!(post.arrived("Silence").len(), 0);
}

#[tokio::test]
async fn many_accounts_with_silent_servers_stop_nobody_else() {
    let post = crowded().await;
    post.profile("bon", "boutique").await;
    post.application.outbox.start();
    sent_in(&post, "bon", "Avant").await;
    for number in 0..24 {
        let name = format!("muet-{number}");
        post.profile(&name, "muet").await;
        post.give(&message(&name, "Silence")).await;
        post.give(&message(&name, "Silence")).await;
    }
    for round in 0..5 {
        let took = sent_in(&post, "bon", &format!("Tour {round}")).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    // Each of them starts: none has to wait until another one's server replies.
    for _ in 0..200 {
        if post.application.outbox.admission.counts().1 >= 24 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", post.application.outbox.admission.counts());
}

/// Servers that reply within [`YIELD_AFTER`](crate::admission::YIELD_AFTER) keep their workers; but not for a whole
/// queue.
#[tokio::test]
async fn busy_accounts_give_their_places_up_after_a_turn() {
    let (crowd, at) = Crowd::start(Manner { thinks: Duration::from_millis(200), ..MANNER }).await;
    let options = OutboxOptions { workers: 8, ..options() };
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let post = Post::made(store, options, "boutique", Some(at), START).await;
    post.profile("bon", "boutique").await;
    for number in 0..12 {
        post.save_at(&format!("lent-{number}"), None, at).await;
    }
    post.application.outbox.start();
    // Its first message shows that each account is quick.
    sent_in(&post, "bon", "Avant").await;
    for number in 0..12 {
        sent_in(&post, &format!("lent-{number}"), "Premier").await;
    }
    for number in (0..12).cycle().take(12 * 40) {
        post.give(&message(&format!("lent-{number}"), "Lentement")).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for round in 0..3 {
        let took = sent_in(&post, "bon", &format!("Tour {round}")).await;
        assert!(took < Duration::from_millis(2_500), "{took:?}");
    }
    assert!(crowd.everybody().len() < 12 * 40, "the others were still busy");
}

/// This many accounts, each with a message for the portal's relay.
async fn accounts_wait(post: &Post, count: u32) {
    let now = (config::clock())();
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(500) {
        let messages: Vec<_> = some.iter().map(|number| waiting(&post.application.outbox, *number, now)).collect();
        post.store.insert_messages(&messages).await.unwrap();
    }
}

fn waiting(outbox: &Outbox, number: u32, now: Timestamp) -> QueuedMessage {
    let (account, id) = (account(&format!("wartet-{number}")), ids::at(now));
    let head = Head {
        to: vec![Person { address: "claire@client.example".to_owned(), name: None }],
        cc: vec![],
        reply_to: None,
        subject: "Relais".to_owned(),
        text: Some("Bonjour".to_owned()),
        html: None,
        language: None,
        auto_submitted: false,
        date: now,
    };
    let content = Content { head, files: vec![] };
    QueuedMessage {
        id,
        message_id: format!("{}@comptoir.exemple", id.as_simple()),
        idempotency_key: None,
        request_hash: [1; 32],
        reference: None,
        subject: "Relais".to_owned(),
        size: 1,
        recipients: vec![Recipient {
            address: "claire@client.example".to_owned(),
            kind: RecipientKind::To,
            state: RecipientState::Pending,
            cause: None,
            reply: None,
            stage: None,
        }],
        at: now,
        expires_at: now + SignedDuration::from_hours(24),
        sealed: outbox.seal(&account, id, content).unwrap(),
        lane: Lane { account, user: None },
    }
}

#[tokio::test]
async fn lanes_behind_a_relay_that_rests_are_not_looked_at() {
    let options = OutboxOptions::default();
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let post = Post::through(store, options, "cadence").await;
    post.profile("bon", "boutique").await;
    accounts_wait(&post, 1_000).await;
    post.application.outbox.start();
    for round in 0..5 {
        let took = sent_in(&post, "bon", &format!("Tour {round}")).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    // They are tried one after another; the others show what they wait for.
    let (mut tried, mut waits) = (0, 0);
    for _ in 0..20 {
        (tried, waits) = (0, 0);
        for number in 0..1_000 {
            let rows = post.store.messages(&account(&format!("wartet-{number}")), None, None, 9).await.unwrap();
            tried += u32::from(rows[0].message.tries > 0);
            waits += u32::from(rows[0].message.cause == Some(Cause::RateLimited));
        }
        if waits > 900 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!((1..100).contains(&tried), "{tried}");
    assert!(waits > 900, "{waits}");
    let id = post.give(&message("neu", "Aussi")).await;
    assert_eq!(post.until(&id, "deferred").await["cause"], "rate_limited");
}

/// A measurement, not a test: `cargo test --release -p server --lib waiting_accounts -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes a minute, and asserts nothing"]
async fn waiting_accounts() {
    for (count, stalled) in [(0, 0), (5_000, 0), (20_000, 0), (0, 64)] {
        let path = std::env::temp_dir().join(format!("{}.db", Uuid::new_v4()));
        let store = Arc::new(SqliteStore::open(&path).await.unwrap());
        let options = OutboxOptions { last_reply: Duration::from_secs(600), ..OutboxOptions::default() };
        let post = Post::through(store, options, "cadence").await;
        post.profile("bon", "boutique").await;
        accounts_wait(&post, count).await;
        post.application.outbox.start();
        sent_in(&post, "bon", "Avant").await;
        for number in 0..stalled {
            let name = format!("muet-{number}");
            post.profile(&name, "muet").await;
            post.give(&message(&name, "Silence")).await;
        }
        // Until the first lanes are looked up and put behind the relay.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let (cpu, began) = (cpu_ticks(), Instant::now());
        let mut took = Vec::new();
        for number in 0..200 {
            let began = Instant::now();
            let id = post.give(&message("bon", &format!("Tour {number}"))).await;
            while post.get(&format!("/api/v1/messages/{id}")).await.1["state"] != "accepted" {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            took.push(began.elapsed());
        }
        took.sort();
        let busy = (cpu_ticks() - cpu, began.elapsed());
        let (cpu, idle) = (cpu_ticks(), Instant::now());
        tokio::time::sleep(Duration::from_secs(10)).await;
        let idle = f64::from(cpu_ticks() - cpu) / idle.elapsed().as_secs_f64();
        let measured = Instant::now();
        post.store.queue_metrics((config::clock())()).await.unwrap();
        println!(
            "{count} wait, {stalled} stall: p50 {:?}, p95 {:?}, p99 {:?}; 200 messages in {busy:?}; at rest {idle:.1} % of a core; metrics {:?}",
            took[100],
            took[190],
            took[198],
            measured.elapsed()
        );
        post.application.outbox.stop(Duration::from_millis(100)).await;
        let _ = std::fs::remove_file(path);
    }
}

/// A measurement, not a test: the time to accept a message while 200,000 are deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes a minute, and asserts nothing"]
async fn forgotten_messages() {
    let path = std::env::temp_dir().join(format!("{}.db", Uuid::new_v4()));
    let store = Arc::new(SqliteStore::open(&path).await.unwrap());
    let post = Post::with(store, OutboxOptions::default()).await;
    post.profile("bon", "boutique").await;
    let began = Instant::now();
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
         INSERT INTO message (id, portal, account, lane, request_hash, message_id, subject, size, recipients, state,
             created_at, updated_at, expires_at, finished_at, has_content)
         SELECT printf('00000000-0000-7000-8000-%012d', i), 'demo', 'a' || (i % 100), 'l', x'01', 'm', 's', 1, '[]',
             'accepted', i, i, i, i, 0 FROM n",
    )
    .execute(post.store.raw())
    .await
    .unwrap();
    println!("200,000 messages in {:?}", began.elapsed());
    post.application.outbox.start();
    let left = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM message WHERE finished_at < 300000")
            .fetch_one(post.store.raw())
            .await
            .unwrap()
    };
    let (began, mut took) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(20) {
        let began = Instant::now();
        post.give(&message("bon", "Pendant")).await;
        took.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    println!(
        "{} posts: p50 {:?}, p95 {:?}, p99 {:?}, most {:?}; {} left",
        took.len(),
        at(50),
        at(95),
        at(99),
        at(100),
        left().await
    );
    post.application.outbox.stop(Duration::from_millis(100)).await;
    let _ = std::fs::remove_file(path);
}

/// Processor time of this process, in hundredths of a second.
fn cpu_ticks() -> u32 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}
