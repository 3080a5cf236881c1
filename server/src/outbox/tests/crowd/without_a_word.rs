//! Servers with an unannounced limit: they hang up, or refuse for now, in the middle of the recipients.

use super::*;

const PIPELINING: &str = "250-PIPELINING\r\n";
const CHUNKING: &str = "250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n";
const OFFERS: [&str; 3] = ["", PIPELINING, CHUNKING];

/// An application whose back-off lasts an hour.
async fn impatient(manner: Manner) -> (Post, Arc<Crowd>) {
    let (crowd, at) = Crowd::start(manner).await;
    let post = Post::without_retries(at).await;
    post.save_at("martin", None, at).await;
    post.application.outbox.start();
    (post, crowd)
}

impl Crowd {
    fn times_named(&self, address: &str) -> usize {
        self.named.lock().unwrap().get(address).copied().unwrap_or_default()
    }
}

/// Every recipient has its transaction at once, exactly one, under one `Message-ID`.
async fn all_at_once(what: &str, manner: Manner) {
    let case = format!("{what}: {:?} {:?}", manner.refusal, manner.keywords);
    let (post, crowd) = impatient(manner).await;
    let id = post.give(&to_many("À tous", &people(20))).await;
    let done = post.until(&id, "accepted").await;
    assert_eq!(crowd.everybody(), people(20), "{case}");
    let ids: HashSet<String> = crowd.taken.lock().unwrap().iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(ids.len(), 1, "{case}: the same message");
    assert!(done["recipients"].as_array().unwrap().iter().all(|one| one["state"] == "accepted"), "{done:#}");
    let attempts = done["attempts"].as_array().unwrap().len();
    assert!(attempts <= 20_usize.div_ceil(manner.most.min(manner.in_all)) + 8, "{case}: {attempts} attempts");
}

#[tokio::test]
async fn a_server_that_hangs_up_without_a_word_gets_the_others_in_other_transactions() {
    for most in [1, 3, 10] {
        for keywords in OFFERS {
            all_at_once("hangs up", Manner { most, refusal: "", keywords, ..MANNER }).await;
        }
    }
}

#[tokio::test]
async fn refusals_without_a_reason_in_the_middle_are_a_limit() {
    for refusal in [
        "452 4.3.2 System not accepting network messages",
        "452 4.5.3 Error: too many recipients",
        "451 4.3.2 Please try again later",
        "451 4.3.0 Temporary failure",
        "451 4.5.0 Not now",
        "451 Requested action aborted: local error in processing",
        "450 4.3.2 Service currently unavailable",
    ] {
        for keywords in ["", PIPELINING] {
            all_at_once("refuses the rest", Manner { refusal, keywords, ..MANNER }).await;
        }
    }
}

#[tokio::test]
async fn a_limit_of_the_connection_takes_another_connection() {
    for refusal in ["", "421 4.7.0 too many", "452 4.5.3 Too many recipients", "451 4.3.2 Please try again later"] {
        for keywords in ["", PIPELINING] {
            for (most, in_all) in [(usize::MAX, 7), (3, 6)] {
                all_at_once("limit by connection", Manner { most, refusal, keywords, in_all, ..MANNER }).await;
            }
        }
    }
}

/// A refusal that concerns one recipient waits for its back-off: the recipient is not tried again at once.
#[tokio::test]
async fn who_is_told_to_come_back_waits() {
    for later in [
        "450 4.7.1 Greylisted",
        "451 4.7.1 Greylisting in action, please come back later",
        "452 4.2.2 Mailbox full",
        "450 4.2.0 Mailbox busy",
        "451 4.7.1 Service unavailable - try again later",
    ] {
        for keywords in ["", PIPELINING] {
            for last in [false, true] {
                let (post, crowd) = impatient(Manner { most: 100, later, keywords, ..MANNER }).await;
                let grey = if last { "p004@client.example" } else { "p002@client.example" };
                crowd.later.lock().unwrap().insert(grey.to_owned());
                let id = post.give(&to_many("Devis", &people(5))).await;
                let waiting = post.until(&id, "deferred").await;
                assert_eq!(crowd.everybody().len(), 4, "{later}: {waiting:#}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                let attempts = post.get(&format!("/api/v1/messages/{id}")).await.1["attempts"].clone();
                assert_eq!(
                    (crowd.times_named(grey), attempts.as_array().unwrap().len()),
                    (1, 1),
                    "{later}: {attempts:#}"
                );
            }
        }
    }
}

/// A recipient that is refused without a reason, and first again in the next transaction, waits as well.
#[tokio::test]
async fn who_is_refused_alone_is_asked_twice_and_no_more() {
    for keywords in ["", PIPELINING] {
        let (post, crowd) = impatient(Manner { keywords, ..MANNER }).await;
        let id = post.give(&to_many("D'abord", &people(3))).await;
        post.until(&id, "accepted").await;
        crowd.shut.store(true, Ordering::SeqCst);
        let before = crowd.connections.load(Ordering::SeqCst);
        let id = post.give(&to_many("Devis", &people(30))).await;
        post.until(&id, "deferred").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let tries = crowd.connections.load(Ordering::SeqCst) - before;
        assert!(tries <= 3 && crowd.times_named("p020@client.example") <= 3, "{tries}");
    }
}

/// After the first recipient of a transaction the server shuts: retries end, and accepted recipients are not named
/// again.
#[tokio::test]
async fn a_server_that_refuses_the_first_of_each_new_transaction_is_left_alone() {
    for refusal in ["451 4.3.2 Please try again later", "452 4.5.3 Too many recipients", ""] {
        for keywords in OFFERS {
            // It accepts three recipients on its first connection, and none on the others.
            let (crowd, at) = Crowd::start(Manner { refusal, keywords, ..MANNER }).await;
            let post = Post::without_retries(at).await;
            post.save_at("martin", None, at).await;
            crowd.takes.store(3, Ordering::SeqCst);
            post.application.outbox.start();
            let id = post.give(&to_many("Devis", &people(30))).await;
            let waiting = post.until(&id, "deferred").await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let connections = crowd.connections.load(Ordering::SeqCst);
            assert!(connections <= 12, "{refusal:?} {keywords:?}: {connections} connections");
            assert!(crowd.times_named("p004@client.example") <= 8, "{refusal:?} {keywords:?}");
            assert_eq!(crowd.everybody().len(), if refusal.is_empty() { 0 } else { 3 }, "{refusal:?} {waiting:#}");
        }
    }
}

/// One recipient on which the server hangs up does not keep the others from having their transaction.
#[tokio::test]
async fn a_recipient_on_whom_the_server_hangs_up_comes_last() {
    for keywords in OFFERS {
        let (crowd, at) = Crowd::start(Manner { most: 100, keywords, ..MANNER }).await;
        let post = Post::beside(Arc::new(SqliteStore::in_memory().await.unwrap()), Some(at)).await;
        post.save_at("martin", None, at).await;
        crowd.poison.lock().unwrap().insert("p002@client.example".to_owned());
        post.application.outbox.start();
        post.give(&to_many("Devis", &people(6))).await;
        for _ in 0..400 {
            if crowd.everybody().len() == 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(crowd.everybody().len(), 5, "{keywords:?}: {:?}", crowd.everybody());
    }
}
