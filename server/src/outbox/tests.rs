//! End to end: posted over HTTP, sent to the sandbox mail server, read back over HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use app::{
    profile::{
        address::EmailAddress,
        model::{Destination, ProfileId, Settings},
        port::{Profiles, SecretChange, Target},
        security::Security,
        sending::SendingOptions,
    },
    sending_mode::{model::SendingMode, port::SendingModes},
    session::AccountId,
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use jiff::SignedDuration;
use lettre::message::Mailbox;
use mail::{
    net::Policy,
    smtp::{EhloName, Limits, SubmitterOptions},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use uuid::Uuid;

use super::{content::Content, *};
use crate::{
    Application, Parts, application, config,
    credentials::VaultKey,
    demo::sandbox::{DOMAIN, PASSWORD, Received, Sandbox, SandboxOptions},
    ids,
    portal::{ApiKey, PortalKey, Relay, Webhook, WebhookUrl},
    profiles::tests::by,
    store::{
        Store,
        aggregates::*,
        outbox::{CommitMark, Lane, MessageState, QueuedMessage, Recipient},
        sqlite::SqliteStore,
    },
    test_runs::TestQuota,
    time::{Machine, Steady},
};

mod clock;
mod crowd;
mod crowded;
mod limits;
mod moved;
mod places;
mod post;
mod replicas;
mod requests;

pub(crate) use post::Post;
use post::options;
pub(crate) use requests::{KEY, account, give, message};
use requests::{commit_mark, destination};

#[tokio::test]
async fn a_message_leaves_through_the_account_s_own_server_under_its_name() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    post.application.outbox.start();
    let mut body = message("martin", "Votre devis à signer");
    body["cc"] = json!(["karim@client.example"]);
    body["bcc"] = json!(["archives@martin.exemple"]);
    body["html"] = json!("<p>Bonjour</p>");
    body["attachments"] =
        json!([{ "filename": "devis.pdf", "content_type": "application/pdf", "content": "SGVsbG8=" }]);
    body["reference"] = json!("D-2041");
    let id = post.give(&body).await;
    let done = post.until(&id, "accepted").await;
    assert_eq!((&done["reference"], &done["profile"]), (&json!("D-2041"), &json!(profile.to_string())));
    assert_eq!(done["attempts"][0]["via"], "profile");
    assert_eq!(done["attempts"][0]["stage"], "data");
    assert!(done["attempts"][0]["queue_id"].is_string(), "{done:#}");
    let states: Vec<_> = done["recipients"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["accepted"; 3]);
    let [mail] = &post.arrived("Votre devis à signer")[..] else { panic!("it should arrive exactly once") };
    assert_eq!(mail.from, "Boulangerie Martin <devis@martin.exemple>");
    assert_eq!((mail.mail_from.as_str(), mail.rcpt_to.len()), ("devis@martin.exemple", 3));
    assert!(!mail.raw.contains("archives@") && mail.raw.contains("Cc: karim@client.example"), "{}", mail.raw);
    assert!(mail.raw.contains(&format!("Message-ID: <{}>", done["message_id"].as_str().unwrap())));
    assert!(mail.raw.contains("devis.pdf") && mail.raw.contains("SGVsbG8="));
    let row = post.store.message("demo", id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(post.store.content(row.id).await.unwrap(), None, "the text is deleted");
    let event = &post.events().await[0];
    assert_eq!((&event["type"], &event["data"]["message"]), (&json!("message.accepted"), &json!(id)));
    assert!(!event.to_string().contains("client.example"), "events contain no address");
    let shown = Profiles::get(&post.profiles, &account("martin"), profile).await.unwrap().unwrap();
    assert!(shown.health.sent_at.is_some());
}

#[tokio::test]
async fn the_relay_sends_where_the_account_wants_it_and_nobody_forges_a_sender() {
    let post = Post::new().await;
    post.application.outbox.start();
    let id = post.give(&message("martin", "Par le portail")).await;
    let done = post.until(&id, "accepted").await;
    assert_eq!((&done["attempts"][0]["via"], &done["profile"]), (&json!("relay"), &Value::Null));
    assert_eq!(post.arrived("Par le portail")[0].from, "Comptoir <ne-pas-repondre@comptoir.exemple>");
    let mut forged = message("martin", "x");
    forged["from"] = json!("chef@banque.example");
    let (status, answer) = post.post(&forged).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("sender_not_allowed"))
    );
}

#[tokio::test]
async fn until_there_is_an_own_server_the_relay_stands_in_and_a_user_has_the_shop_s() {
    let post = Post::new().await;
    post.application.outbox.start();
    post.profiles.set(by(&account("martin")), SendingMode::OwnSmtp, None).await.unwrap();
    // The mode is chosen before there is a profile, as in the tutorial: mail is still sent.
    let id = post.give(&message("martin", "Par le portail")).await;
    assert_eq!(post.until(&id, "accepted").await["attempts"][0]["via"], "relay");
    let at_the_other_portal = async || {
        let other = Request::post("/api/v1/messages")
            .header(header::AUTHORIZATION, "Bearer fct_other")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(message("martin", "x").to_string()));
        let (status, _, answer) = post.call(other.unwrap()).await;
        (status, answer["code"].clone())
    };
    assert_eq!(at_the_other_portal().await, (StatusCode::CONFLICT, json!("no_relay")));
    let elsewhere = app::session::AccountId { portal: "other".to_owned(), ..account("martin") };
    post.profiles.set(by(&elsewhere), SendingMode::OwnSmtp, None).await.unwrap();
    assert_eq!(at_the_other_portal().await, (StatusCode::CONFLICT, json!("no_profile")));
    let profile = post.profile("martin", "boutique").await;
    // A test that failed before anything was sent: the profile does not take over yet.
    let row = post.store.profile(&account("martin"), profile).await.unwrap().unwrap();
    let (of, entry) = (crate::profiles::fingerprint(&row), crate::store::contract::entry(901, 0));
    let told = crate::store::TestRecord {
        fingerprint: &of,
        receipt: None,
        events: &[],
        transition_event: None,
        entry: &entry,
    };
    let failed = crate::store::contract::run(1, Some(app::diagnosis::cause::Cause::BadCredentials));
    assert!(post.store.record_test(&account("martin"), profile, &failed, &told).await.unwrap());
    post.profiles.changed(&account("martin")).await;
    let id = post.give(&message("martin", "Toujours par le portail")).await;
    assert_eq!(post.until(&id, "accepted").await["attempts"][0]["via"], "relay");
    post.save("martin", Some(profile), "boutique").await;
    let mut of_a_user = message("martin", "Pour Karim");
    of_a_user["user"] = json!("karim");
    let id = post.give(&of_a_user).await;
    post.until(&id, "accepted").await;
}

/// The process that counted the third refusal was killed before it wrote its message's outcome.
#[tokio::test]
async fn a_profile_whose_refusals_nobody_told_of_is_told_of_once() {
    use mail::smtp::LoginOutcome;

    use crate::store::{LoginClaim, LoginEnd};
    let post = Post::new().await;
    let profile = post.profile("martin", "mot-de-passe").await;
    let row = post.store.profile(&account("martin"), profile).await.unwrap().unwrap();
    let (key, now) = (row.secret.unwrap().login_key, (config::clock())());
    for _ in 0..3 {
        let claim = LoginClaim {
            id: uuid::Uuid::new_v4(),
            key,
            now,
            until: now + SignedDuration::from_secs(9),
            again_after: None,
        };
        post.store.claim_logins(&[claim], &crate::credentials::logins::admit).await.unwrap();
        let end = LoginEnd { id: claim.id, key, outcome: LoginOutcome::Refused, at: now };
        post.store.end_logins(&[end]).await.unwrap();
    }
    post.application.outbox.start();
    let id = post.give(&message("martin", "Plus tard")).await;
    post.until(&id, "deferred").await;
    let kinds: Vec<Value> = post.events().await.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["profile.broken"]);
    assert_eq!(post.logins(), 0);
}

#[tokio::test]
async fn three_failures_break_a_profile_once_what_follows_waits_and_leaves_when_it_is_mended() {
    let post = Post::new().await;
    let profile = post.profile("martin", "mot-de-passe").await;
    post.application.outbox.start();
    for number in 1..=3 {
        let id = post.give(&message("martin", &format!("Perdu {number}"))).await;
        let failed = post.until(&id, "failed").await;
        assert_eq!((&failed["cause"], &failed["stage"]), (&json!("bad_credentials"), &json!("auth")));
    }
    let shown = Profiles::get(&post.profiles, &account("martin"), profile).await.unwrap().unwrap();
    assert!(shown.health.is_broken());
    let waiting: Vec<String> =
        futures::future::join_all((1..=2).map(|_| async { post.give(&message("martin", "Plus tard")).await })).await;
    let held = post.until(&waiting[0], "deferred").await;
    assert_eq!((&held["cause"], held["attempts"].as_array().unwrap().len()), (&json!("bad_credentials"), 0));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let logins = post.store.profile(&account("martin"), profile).await.unwrap().unwrap().secret_refusals;
    assert_eq!(logins, 3, "no more login attempts: providers lock accounts");
    post.save("martin", Some(profile), "boutique").await;
    for id in &waiting {
        post.until(id, "accepted").await;
    }
    let kinds: Vec<Value> = post.events().await.iter().map(|event| event["type"].clone()).collect();
    let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!((count("profile.broken"), count("profile.recovered")), (1, 1), "{kinds:?}");
    assert_eq!((count("message.failed"), count("message.accepted")), (3, 2));
}

#[tokio::test]
async fn the_relay_stands_in_where_the_owner_wants_it_and_the_failure_shows() {
    let post = Post::new().await;
    let profile = post.profile("martin", "mot-de-passe").await;
    let options = SendingOptions { fallback: true, ..SendingOptions::default() };
    post.profiles.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
    post.application.outbox.start();
    let id = post.give(&message("martin", "Quand même")).await;
    let done = post.until(&id, "accepted").await;
    let ways: Vec<_> = done["attempts"].as_array().unwrap().iter().map(|one| (&one["via"], &one["outcome"])).collect();
    assert_eq!(ways, [(&json!("profile"), &json!("failed")), (&json!("fallback"), &json!("accepted"))]);
    let mail = &post.arrived("Quand même")[0];
    assert_eq!(mail.from, "Comptoir <ne-pas-repondre@comptoir.exemple>");
    assert!(mail.raw.contains("Reply-To: \"Boulangerie Martin\"\r\n <devis@martin.exemple>"), "{}", mail.raw);
    let shown = Profiles::get(&post.profiles, &account("martin"), profile).await.unwrap().unwrap();
    assert_eq!((shown.health.failures, shown.health.sent_at), (1, None), "the failure is not hidden");
    // Later messages go through the profile again.
    post.save("martin", Some(profile), "boutique").await;
    let id = post.give(&message("martin", "Par le sien")).await;
    assert_eq!(post.until(&id, "accepted").await["attempts"][0]["via"], "profile");
    assert_eq!(post.arrived("Par le sien")[0].from, "Boulangerie Martin <devis@martin.exemple>");
}

#[tokio::test]
async fn what_is_deferred_is_tried_again_and_what_is_unknown_is_not() {
    let post = Post::new().await;
    post.profile("gris", "liste-grise").await;
    post.profile("coupe", "coupe").await;
    post.application.outbox.start();
    let (grey, cut) = (post.give(&message("gris", "Gris")).await, post.give(&message("coupe", "Coupé")).await);
    let done = post.until(&grey, "accepted").await;
    assert_eq!(done["attempts"][0]["outcome"], "deferred");
    assert_eq!(done["attempts"][0]["cause"], "greylisted");
    assert_eq!(post.arrived("Gris").len(), 1);
    let unknown = post.until(&cut, "delivery_unknown").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(post.get(&format!("/api/v1/messages/{cut}")).await.1["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(unknown["recipients"][0]["state"], "delivery_unknown");
    // Only the portal may ask for a resend.
    let again = Request::post(format!("/api/v1/messages/{cut}/resend"))
        .header(header::AUTHORIZATION, format!("Bearer {KEY}-2"))
        .body(Body::empty());
    let (status, _, answer) = post.call(again.unwrap()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let again = post.until(&cut, "delivery_unknown").await;
    assert_eq!(again["message_id"], unknown["message_id"]);
}

#[tokio::test]
async fn after_a_crash_what_may_have_left_is_unknown_and_the_rest_goes_on() {
    let post = Post::new().await;
    post.profile("martin", "boutique").await;
    let (marked, unmarked) = (post.give(&message("martin", "Un")).await, post.give(&message("martin", "Deux")).await);
    let now = (config::clock())();
    let lane = Lane { account: account("martin"), user: None };
    // A process claimed both, was about to send the end of one, and was killed.
    let claimed =
        crate::store::contract::claim(&*post.store, &lane, "dead", now, now + SignedDuration::from_secs(1), 9).await;
    assert_eq!(claimed.len(), 2);
    post.store.mark_commit(&[commit_mark(&marked, None)], now).await.unwrap();
    post.application.outbox.start();
    let one = post.until(&marked, "delivery_unknown").await;
    assert_eq!(one["attempts"][0]["outcome"], "delivery_unknown");
    let two = post.until(&unmarked, "accepted").await;
    assert_eq!(two["attempts"].as_array().unwrap().len(), 1, "claimed, not tried");
    assert_eq!((&one["attempts"][0]["via"], &one["attempts"][0]["stage"]), (&Value::Null, &json!("data")));
    assert_eq!((post.arrived("Un").len(), post.arrived("Deux").len()), (0, 1));
}
