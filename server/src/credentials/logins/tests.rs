//! Three refused passwords are the limit, for all callers together, even concurrently.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use app::{
    i18n::Locale,
    profile::{
        model::ProfileId,
        port::{Profiles, SecretChange, Target},
        preset::Catalogue,
    },
    session::{AccountId, Session, User},
    test_run::port::{Recipient, Refusal, TestEvent, Tester},
};
use futures::{StreamExt, future::join_all};
use mail::smtp::{Credentials, until};
use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::{
    metrics::Metrics,
    outbox::tests::{Post, account, message},
    profiles::tests::by,
    store::{aggregates::*, sqlite::SqliteStore},
    test_runs::{TestQuota, TestRunner, TestRunnerParts},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

#[test]
fn the_rule() {
    let count = |refusals, under_way| LoginCount { refusals, under_way, refused_at: Some(at(0)) };
    for (refusals, under_way, expected) in [
        (0, 0, Admission::Granted),
        (0, 2, Admission::Granted),
        (0, 3, Admission::Busy),
        (1, 0, Admission::Granted),
        (1, 1, Admission::Busy),
        (2, 0, Admission::Granted),
        (2, 2, Admission::Busy),
        (3, 0, Admission::Refused),
        (9, 1, Admission::Refused),
    ] {
        assert_eq!(admit(count(refusals, under_way), None, at(1)), expected, "{refusals} {under_way}");
    }
    let hour = Some(SignedDuration::from_hours(1));
    assert_eq!(admit(count(3, 0), hour, at(3_599)), Admission::Refused);
    assert_eq!(admit(count(3, 0), hour, at(3_600)), Admission::Granted, "once more");
    assert_eq!(admit(count(4, 1), hour, at(3_600)), Admission::Refused, "one at a time");
    assert_eq!(admit(count(3, 0), hour, at(-9)), Admission::Granted, "the clock was set back");
}

async fn limiter() -> (Arc<dyn Store>, Logins) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
    let logins = Logins::new(&store, Arc::new(|| at(0)));
    (store, logins)
}

#[tokio::test]
async fn many_at_once_are_three_and_a_login_that_is_cut_is_waited_for() {
    let (_, logins) = limiter().await;
    let tried = AtomicU32::new(0);
    let try_it = async || {
        let gate = logins.gate([1; 32], None);
        if gate.begin().await {
            tried.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            gate.ended(LoginOutcome::Refused).await;
        }
        gate.withheld()
    };
    let ended = join_all((0..16).map(|_| try_it())).await;
    assert_eq!(tried.load(Ordering::SeqCst), MOST_REFUSALS);
    assert_eq!(ended.iter().filter(|ended| **ended == Some(Withheld::Refused)).count(), 13);

    // Stopped while the server checks the password: the outcome is awaited, and counts.
    for _ in 0..3 {
        let gate = logins.gate([2; 32], None);
        let credentials = Credentials::counted(String::new(), SecretString::from("x"), gate.clone());
        let begun = Notify::new();
        let conversation = async {
            assert!(gate.begin().await);
            begun.notify_one();
            tokio::time::sleep(Duration::from_millis(20)).await;
            gate.ended(LoginOutcome::Refused).await;
            std::future::pending::<()>().await;
        };
        assert_eq!(until(Some(&credentials), Box::pin(conversation), begun.notified()).await, None);
        assert!(!gate.begin().await, "no login begins after that");
    }
    assert!(!logins.gate([2; 32], None).begin().await);
    // A conversation that has not reached its login is cut at once.
    let gate = logins.gate([3; 32], None);
    let credentials = Credentials::counted(String::new(), SecretString::from("x"), gate);
    assert_eq!(until(Some(&credentials), Box::pin(std::future::pending::<()>()), std::future::ready(())).await, None);
}

fn session(account: AccountId) -> Session {
    Session {
        key: [0; 32],
        account,
        account_name: "Boulangerie Martin".to_owned(),
        portal_name: "Comptoir".to_owned(),
        person: User { id: "claire".to_owned(), name: "Claire".to_owned() },
        email: "claire@martin.exemple".to_owned(),
        users: vec![],
        locale: Locale::Fr,
        time_zone: None,
        return_url: None,
        theme: app::theme::GivenTheme::default(),
    }
}

/// A second process beside the one that sends: they share state through the database.
fn tester(post: &Post) -> TestRunner {
    let often = NonZeroU32::new(600).unwrap();
    TestRunner::new(TestRunnerParts {
        store: post.store.clone(),
        replicas: crate::replicas::Replicas::alone(),
        profiles: post.profiles.clone(),
        submitter: post.submitter.clone(),
        presets: Arc::new(Catalogue::builtin()),
        clock: crate::config::clock(),
        quota: TestQuota { per_person: often, per_profile: often, per_account: often, in_all: often },
        webhook_portals: Arc::new([]),
        portals: Arc::new([]),
        metrics: Arc::new(Metrics::new()),
    })
}

/// Presses Tester once. Returns why there was no test, if there was none.
async fn press(tester: &TestRunner, id: ProfileId) -> Option<Refusal> {
    let mut events = match tester.start(&session(account("martin")), id, Recipient::Me).await {
        Ok(started) => started.events,
        Err(refusal) => return Some(refusal),
    };
    let mut refused = None;
    while let Some(event) = events.next().await {
        if let TestEvent::Refused(refusal) = event {
            refused = Some(refusal);
        }
    }
    refused
}

async fn retype(post: &Post, id: ProfileId, secret: &str) {
    let martin = account("martin");
    let settings = post.store.profile(&martin, id).await.unwrap().unwrap().settings;
    let secret = SecretChange::Replace(SecretString::from(secret));
    post.profiles.save(by(&martin), Target::profile(id), settings, secret).await.unwrap();
}

#[tokio::test]
async fn presses_and_messages_at_once_are_three_logins_and_a_new_secret_has_three_again() {
    for presses in [4, 16] {
        let post = Post::new().await;
        let (tester, id) = (tester(&post), post.profile("martin", "boutique").await);
        post.application.outbox.start();
        // A profile that has never sent anything would leave its messages to the portal's relay.
        let first = post.give(&message("martin", "Devis")).await;
        post.until(&first, "accepted").await;
        post.save("martin", Some(id), "mot-de-passe").await;
        let before = post.logins();
        let mut waiting = Vec::new();
        for number in 0..6 {
            waiting.push(post.give(&message("martin", &format!("Devis {number}"))).await);
        }
        for round in 1..=2 {
            join_all((0..presses).map(|_| press(&tester, id))).await;
            // Further attempts find three refusals.
            while post.store.profile(&account("martin"), id).await.unwrap().unwrap().secret_refusals < MOST_REFUSALS {
                press(&tester, id).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let refused = join_all((0..presses).map(|_| press(&tester, id))).await;
            assert!(refused.iter().all(|refusal| *refusal == Some(Refusal::SecretRefused)), "{refused:?}");
            let given = post.give(&message("martin", "Plus tard")).await;
            let held = post.until(&given, "deferred").await;
            assert_eq!(held["cause"], json!("bad_credentials"));
            assert_eq!(post.logins() - before, round * MOST_REFUSALS, "{presses} presses");
            retype(&post, id, &format!("autre-{round}")).await;
        }
    }
}

#[tokio::test]
async fn profiles_with_the_same_login_share_the_count_and_a_press_that_is_stopped_counts() {
    let post = Post::new().await;
    let tester = tester(&post);
    let first = post.profile("martin", "mot-de-passe").await;
    let second = post.profile("martin", "mot-de-passe").await;
    join_all([first, second, first, second].map(|id| press(&tester, id))).await;
    while post.store.profile(&account("martin"), first).await.unwrap().unwrap().secret_refusals < MOST_REFUSALS {
        press(&tester, first).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(press(&tester, second).await, Some(Refusal::SecretRefused));
    assert_eq!(post.logins(), 3);
    // A third one does not reset the count; entering the same password again does.
    let third = post.profile("martin", "mot-de-passe").await;
    assert_eq!(press(&tester, third).await, Some(Refusal::SecretRefused));
    retype(&post, third, crate::demo::sandbox::PASSWORD).await;
    // A test counts even if the client disconnects.
    for _ in 0..12 {
        if let Ok(mut started) = tester.start(&session(account("martin")), third, Recipient::Me).await {
            let _ = started.events.next().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while press(&tester, third).await != Some(Refusal::SecretRefused) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(post.logins(), 6);
}

#[tokio::test]
async fn a_login_that_goes_well_ends_the_count() {
    let post = Post::new().await;
    let (tester, id) = (tester(&post), post.profile("martin", "boutique").await);
    for _ in 0..2 {
        retype(&post, id, "faux").await;
        for _ in 0..2 {
            assert_eq!(press(&tester, id).await, None);
        }
        retype(&post, id, crate::demo::sandbox::PASSWORD).await;
        assert_eq!(press(&tester, id).await, None);
        assert_eq!(post.store.profile(&account("martin"), id).await.unwrap().unwrap().secret_refusals, 0);
    }
    assert_eq!(join_all((0..4).map(|_| press(&tester, id))).await, [None; 4], "a correct password is not delayed");
}

#[tokio::test]
async fn the_relay_s_password_is_refused_three_times_too() {
    let post = Post::with_relay("mot-de-passe").await;
    post.application.outbox.start();
    let ids: Vec<String> =
        join_all((0..8).map(|_| async { post.give(&message("dubois", "Par le relais")).await })).await;
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(1) {
        most = post.logins();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((1..=MOST_REFUSALS + 3).contains(&most), "three, and one after each back-off: {most}");
    assert_eq!(ids.len(), 8);
}
