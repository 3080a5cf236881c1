//! Messages for many recipients, and servers that take a few in a transaction (RFC 5321 §4.5.3.1.10).

use super::*;

mod one_flight;
mod server;
mod without_a_word;

pub(super) use server::{Crowd, MANNER, Manner};

/// An application whose account "martin" sends through such a server.
async fn through(manner: Manner) -> (Post, Arc<Crowd>, ProfileId) {
    let (crowd, at) = Crowd::start(manner).await;
    let post = Post::beside(Arc::new(SqliteStore::in_memory().await.unwrap()), Some(at)).await;
    let profile = post.save_at("martin", None, at).await;
    (post, crowd, profile)
}

fn to_many(subject: &str, names: &[String]) -> Value {
    let mut message = message("martin", subject);
    message["to"] = json!(names);
    message
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("p{number:03}@client.example")).collect()
}

#[tokio::test]
async fn a_hundred_recipients_get_it_once_at_a_server_that_takes_a_few() {
    let offers = [
        "",
        "250-PIPELINING\r\n",
        "250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n",
        "250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n",
    ];
    for (most, keywords) in [3, 10, 50].into_iter().flat_map(|most| offers.map(|offer| (most, offer))) {
        let (post, crowd, _) = through(Manner { most, keywords, ..MANNER }).await;
        post.application.outbox.start();
        let id = post.give(&to_many("À tous", &people(100))).await;
        let done = post.until(&id, "accepted").await;
        assert_eq!(crowd.everybody(), people(100), "{most} {keywords:?}");
        let message_id = format!("<{}>", done["message_id"].as_str().unwrap());
        assert!(crowd.taken.lock().unwrap().iter().all(|(_, id)| *id == message_id), "the same message");
        assert_eq!((&done["cause"], crowd.connections.load(Ordering::SeqCst)), (&Value::Null, 1));
        assert_eq!(done["attempts"].as_array().unwrap().len(), 100_usize.div_ceil(most), "{keywords:?}");
        // The limit is known now.
        let refused = crowd.refused();
        let id = post.give(&to_many("Encore", &people(100))).await;
        post.until(&id, "accepted").await;
        assert_eq!((crowd.everybody().len(), crowd.refused()), (200, refused), "{most} {keywords:?}");
    }
}

#[tokio::test]
async fn servers_that_say_it_in_another_way() {
    let limits = "250-LIMITS RCPTMAX=3\r\n";
    for (what, manner) in [
        ("552", Manner { refusal: "552 5.5.3 too many recipients", ..MANNER }),
        ("550", Manner { refusal: "550 5.5.3 Too many recipients", keywords: "250-PIPELINING\r\n", ..MANNER }),
        ("a bare 452", Manner { refusal: "452", ..MANNER }),
        ("hangs up", Manner { refusal: "421 4.7.0 too many", ..MANNER }),
        ("hangs up with a short reply", Manner { refusal: "421 no", ..MANNER }),
        ("hangs up on a group", Manner { refusal: "421 4.7.0 no", keywords: "250-PIPELINING\r\n", ..MANNER }),
        ("hangs up on a group with a short reply", Manner { refusal: "421", keywords: "250-PIPELINING\r\n", ..MANNER }),
        ("a few transactions on a connection", Manner { transactions: 2, ..MANNER }),
        ("one transaction on a connection", Manner { transactions: 1, keywords: "250-PIPELINING\r\n", ..MANNER }),
        ("after the message", Manner { late: true, ..MANNER }),
        ("in advance", Manner { keywords: limits, ..MANNER }),
    ] {
        // A recipient that waited for the back-off would wait for an hour.
        let (crowd, at) = Crowd::start(manner).await;
        let post = Post::without_retries(at).await;
        post.save_at("martin", None, at).await;
        post.application.outbox.start();
        let id = post.give(&to_many("À tous", &people(20))).await;
        let done = post.until(&id, "accepted").await;
        assert_eq!(crowd.everybody(), people(20), "{what}");
        let ids: HashSet<String> = crowd.taken.lock().unwrap().iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(ids.len(), 1, "{what}: the same message");
        assert!(done["recipients"].as_array().unwrap().iter().all(|one| one["state"] == "accepted"), "{done:#}");
        if manner.keywords == limits {
            assert_eq!(crowd.refused(), 0, "the limit was announced");
        }
    }
}

/// The limit is known, and the message is deferred for another reason: each of its recipients has a cause.
#[tokio::test]
async fn a_wait_for_something_else_does_not_make_every_transaction_wait() {
    let (post, crowd, _) = through(MANNER).await;
    post.application.outbox.start();
    let id = post.give(&to_many("À tous", &people(20))).await;
    post.until(&id, "accepted").await;
    crowd.busy.store(true, Ordering::SeqCst);
    let id = post.give(&to_many("Encore", &people(20))).await;
    let done = post.until(&id, "accepted").await;
    assert!(!crowd.busy.load(Ordering::SeqCst));
    let attempts = done["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1 + 7, "{done:#}");
    let row = post.store.message("demo", id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(row.tries, 2, "one wait: {done:#}");
    assert_eq!(crowd.everybody().len(), 40);
}

/// Two deferred recipients fill the transactions of a server that takes two, and the others still get theirs.
#[tokio::test]
async fn who_is_to_come_back_is_in_nobodys_way() {
    let (crowd, at) = Crowd::start(Manner { most: 2, ..MANNER }).await;
    let post = Post::without_retries(at).await;
    post.save_at("martin", None, at).await;
    post.application.outbox.start();
    let id = post.give(&to_many("Avant", &people(6))).await;
    post.until(&id, "accepted").await;
    let later: HashSet<String> = people(2).into_iter().collect();
    *crowd.later.lock().unwrap() = later.clone();
    let before = crowd.everybody().len();
    post.give(&to_many("Devis", &[people(2)[..1].to_vec(), people(6)[2..].to_vec(), people(2)[1..].to_vec()].concat()))
        .await;
    for _ in 0..400 {
        if crowd.everybody().len() == before + 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(crowd.everybody().len(), before + 4, "all but the deferred two, once each");
}

#[tokio::test]
async fn a_server_that_takes_nobody_is_left_alone() {
    for refusal in ["452 4.5.3 Too many recipients", "452 4.3.1 Insufficient system storage"] {
        let (post, crowd, _) = through(Manner { most: 0, refusal, ..MANNER }).await;
        post.application.outbox.start();
        let id = post.give(&to_many("À tous", &people(5))).await;
        let waiting = post.until(&id, "deferred").await;
        assert!(waiting["cause"].is_string(), "{waiting:#}");
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let tries = post.get(&format!("/api/v1/messages/{id}")).await.1["attempts"].as_array().unwrap().len();
        assert!(tries <= 7, "a back-off between the tries: {tries}");
        assert!(crowd.refused() <= tries * 5 + 5);
    }
}

#[tokio::test]
async fn a_crash_between_two_transactions_loses_nobody_and_doubles_nobody() {
    let (post, crowd, _) = through(MANNER).await;
    let id = post.give(&to_many("À tous", &people(9))).await;
    let (now, lane) = ((config::clock())(), Lane { account: account("martin"), user: None });
    let soon = now + SignedDuration::from_secs(1);
    let row = crate::store::contract::claim(&*post.store, &lane, "dead", now, soon, 9).await.remove(0);
    // Three were accepted, the commit mark names three more, and three were meant for the next transaction.
    let mut recipients = row.recipients.clone();
    for recipient in &mut recipients[..3] {
        recipient.state = crate::store::outbox::RecipientState::Accepted;
    }
    let settlement = crate::store::outbox::Settlement {
        id: row.id,
        lane: lane.clone(),
        precondition: crate::store::outbox::Precondition::Lease("dead".to_owned()),
        at: now,
        attempt: None,
        counts: false,
        status: crate::store::outbox::MessageStatus::new(MessageState::Sending),
        recipients,
        content_done: false,
        next_at: Some(now),
        fallback: false,
        health: None,
        event: None,
        transition_event: Some(crate::events::profile_transition),
    };
    assert!(post.store.settle(&[settlement]).await.unwrap()[0].done);
    let three = people(6)[3..].to_vec();
    let to: Vec<&str> = three.iter().map(String::as_str).collect();
    assert_eq!(post.store.mark_commit(&[commit_mark(&id, Some(&to))], now).await.unwrap(), [true]);
    post.application.outbox.start();
    let done = post.until(&id, "delivery_unknown").await;
    assert_eq!(crowd.everybody(), people(9)[6..], "those meant for the next transaction, once");
    let states: Vec<_> = done["recipients"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states[..3], ["accepted"; 3]);
    assert_eq!(states[3..6], ["delivery_unknown"; 3]);
    assert_eq!(states[6..], ["accepted"; 3]);
    let events = post.events().await;
    let data = &events.last().unwrap()["data"];
    assert_eq!((&data["recipients_accepted"], &data["recipients_unknown"]), (&json!(6), &json!(3)));
}

#[tokio::test]
async fn who_failed_for_the_password_is_sent_it_again_and_nobody_else() {
    let (post, crowd, profile) = through(Manner { transactions: 1, logins: 1, ..MANNER }).await;
    crowd.later.lock().unwrap().insert("later@client.example".to_owned());
    post.application.outbox.start();
    let names = ["refused@client.example", "later@client.example", "claire@client.example"].map(str::to_owned);
    let id = post.give(&to_many("Devis", &names)).await;
    let done = post.until(&id, "accepted").await;
    // The second attempt met a password that is now refused.
    assert_eq!(done["attempts"][1]["cause"], "bad_credentials", "{done:#}");
    assert_eq!((&done["cause"], &done["stage"]), (&Value::Null, &json!("data")), "{done:#}");
    assert!(done["reply"].as_str().unwrap().starts_with("250"), "{done:#}");
    let of = |done: &Value| {
        let all = done["recipients"].as_array().unwrap().clone();
        all.iter().map(|one| (one["state"].clone(), one["cause"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(
        of(&done),
        [
            (json!("failed"), json!("recipient_rejected")),
            (json!("failed"), json!("bad_credentials")),
            (json!("accepted"), Value::Null)
        ]
    );
    let event = post.events().await.into_iter().find(|event| event["type"] == "message.accepted").unwrap();
    let data = &event["data"];
    assert_eq!((&data["recipients_accepted"], &data["recipients_refused"]), (&json!(1), &json!(2)));
    assert_eq!(data["refused_causes"], json!(["bad_credentials", "recipient_rejected"]));
    // The password is corrected, and the portal resends the message.
    crowd.logins.store(0, Ordering::SeqCst);
    post.save_at("martin", Some(profile), post.extra.unwrap()).await;
    assert_eq!(post.resend(&id).await.0, StatusCode::ACCEPTED);
    let done = post.until(&id, "accepted").await;
    assert_eq!(of(&done)[1], (json!("accepted"), Value::Null), "{done:#}");
    assert_eq!(crowd.everybody(), ["claire@client.example", "later@client.example"], "no second copy");
    let ids: HashSet<String> = crowd.taken.lock().unwrap().iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(ids.len(), 1, "the same message");
    // The address that does not exist may be tried again, and is refused again.
    assert_eq!(post.resend(&id).await.0, StatusCode::ACCEPTED);
    post.until(&id, "accepted").await;
    assert_eq!(crowd.everybody().len(), 2);
}

#[tokio::test]
async fn what_everybody_has_is_not_sent_again_and_a_wait_after_an_acceptance_says_why() {
    let (post, crowd, _) = through(MANNER).await;
    crowd.later.lock().unwrap().insert("p001@client.example".to_owned());
    post.application.outbox.start();
    let id = post.give(&to_many("Devis", &people(2))).await;
    let row = async || post.store.message("demo", id.parse().unwrap()).await.unwrap().unwrap();
    for _ in 0..1_000 {
        let row = row().await;
        if row.state == MessageState::Deferred {
            assert_eq!((row.cause, row.tries), (Some(app::diagnosis::cause::Cause::Greylisted), 1));
            assert!(row.reply.unwrap().starts_with("450"));
        }
        if row.state == MessageState::Accepted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let done = post.until(&id, "accepted").await;
    assert_eq!((&done["cause"], &done["attempts"][0]["outcome"]), (&Value::Null, &json!("partly_accepted")));
    let (status, answer) = post.resend(&id).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("not_finished")));
    assert_eq!(post.store.content(row().await.id).await.unwrap(), None);
}
