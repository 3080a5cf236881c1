//! The whole way: handed over by HTTP, sent to the sandbox mail server, seen by HTTP.

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
        outbox::{Lane, MessageState, QueuedMessage, Recipient},
        sqlite::SqliteStore,
    },
    test_runs::TestQuota,
    time::{Machine, Steady},
};

mod clock;
mod crowd;
mod crowded;
mod places;

fn options() -> OutboxOptions {
    OutboxOptions { last_reply: Duration::from_secs(2), ..OutboxOptions::default() }
}

/// The clock is right, and the machine was not started again.
const START: (i64, &str) = (0, "the first start of the machine");

pub(crate) const KEY: &str = "fct_the-key-of-the-tests";

/// An application with a sandbox for its mail server.
pub(crate) struct Post {
    pub application: Application,
    pub store: Arc<SqliteStore>,
    pub book: ProfileService,
    pub submitter: Arc<Submitter>,
    sandbox: Sandbox,
    /// By how many seconds the clock is wrong.
    jumped: Arc<AtomicI64>,
    /// The port of another mail server, in clear.
    extra: Option<u16>,
}

pub(crate) fn account(name: &str) -> AccountId {
    AccountId { portal: "demo".to_owned(), account: name.to_owned() }
}

impl Post {
    pub(crate) async fn new() -> Self {
        Self::with_relay("boutique").await
    }

    /// The portal's relay has this login.
    pub(crate) async fn with_relay(login: &str) -> Self {
        Self::over(Arc::new(SqliteStore::in_memory().await.unwrap()), login).await
    }

    /// A second process on the same store, as it were.
    async fn of(store: Arc<SqliteStore>) -> Self {
        Self::over(store, "boutique").await
    }

    /// With a mail server on another port, as `plain.…`.
    async fn beside(store: Arc<SqliteStore>, extra: Option<u16>) -> Self {
        Self::made(store, options(), "boutique", extra, START).await
    }

    async fn over(store: Arc<SqliteStore>, relay_login: &str) -> Self {
        Self::made(store, options(), relay_login, None, START).await
    }

    /// With these options, but short waits.
    async fn with(store: Arc<SqliteStore>, options: OutboxOptions) -> Self {
        Self::made(store, options, "boutique", None, START).await
    }

    /// The same, with this login at the portal's relay.
    async fn through(store: Arc<SqliteStore>, options: OutboxOptions, relay: &str) -> Self {
        Self::made(store, options, relay, None, START).await
    }

    /// The same, with another mail server, and a clock that is wrong by so many seconds after
    /// this start of the machine.
    async fn made(
        store: Arc<SqliteStore>,
        options: OutboxOptions,
        relay: &str,
        extra: Option<u16>,
        (wrong, start): (i64, &str),
    ) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let any = SocketAddr::new(loopback, 0);
        let sandbox =
            Sandbox::start(SandboxOptions { starttls: any, tls: any, greylist_delay: Duration::from_millis(50) })
                .await
                .unwrap();
        let mut policy = Policy::default();
        policy.static_addresses.push((format!("*.{DOMAIN}"), vec![loopback]));
        policy.allow_ports.push(sandbox.tls_addr().port());
        policy.allow_ports.extend(extra);
        policy.plaintext_hosts.push(format!("plain.{DOMAIN}"));
        let submitter = Submitter::new(SubmitterOptions {
            policy: policy.clone(),
            ehlo_name: EhloName::parse("facteur.example").unwrap(),
            extra_roots: vec![sandbox.authority()],
            system_roots: false,
            limits: Limits::default(),
            control: None,
        });
        let submitter = Arc::new(submitter.unwrap());
        let vault = Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap();
        let destination = destination(&sandbox, relay);
        let portal = |id: &str, key: &str, relay: Option<Relay>| Portal {
            id: id.to_owned(),
            name: "Comptoir".to_owned(),
            origins: vec!["https://portail.exemple".to_owned()],
            home: None,
            keys: vec![PortalKey::shared("k1", &[7; 32]).unwrap()],
            require_challenge: false,
            theme: app::theme::GivenTheme::default(),
            api_keys: vec![
                ApiKey { id: "a1".to_owned(), hash: Sha256::digest(key.as_bytes()).into() },
                ApiKey { id: "a2".to_owned(), hash: Sha256::digest(format!("{key}-2").as_bytes()).into() },
            ],
            relay: relay.map(Arc::new),
            webhook: Some(Arc::new(Webhook {
                url: WebhookUrl::parse("https://portail.exemple/hook").unwrap(),
                secrets: vec![],
            })),
        };
        let relay = Relay {
            destination,
            secret: Some(SecretString::from(PASSWORD)),
            sender: Mailbox::new(Some("Comptoir".to_owned()), "ne-pas-repondre@comptoir.exemple".parse().unwrap()),
            connections: None,
            per_minute: None,
        };
        let jumped = Arc::new(AtomicI64::new(wrong));
        let wall: Clock = {
            let jumped = jumped.clone();
            let machine = config::clock();
            Arc::new(move || machine() + SignedDuration::from_secs(jumped.load(Ordering::SeqCst)))
        };
        let time = Steady::new(Machine { wall, boot: start.into(), ..config::machine() });
        let clock = time.clock();
        let application = application(Parts {
            public_origin: "https://facteur.exemple".to_owned(),
            base_path: app::base_path::BasePath::default(),
            portals: vec![portal("demo", KEY, Some(relay)), portal("other", "fct_other", None)],
            store: store.clone(),
            vault: vault.clone(),
            submitter: submitter.clone(),
            presets: Arc::new(Catalogue::builtin()),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: OutboxOptions {
                first_retry: Duration::from_millis(100),
                longest_retry: Duration::from_millis(400),
                lease: Duration::from_secs(3),
                ..options
            },
            bodies: crate::http::BodyBudget::default(),
            clock: clock.clone(),
        });
        application.outbox.watch(time);
        let book = ProfileService::new(store.clone(), vault, policy, clock);
        book.tell_changes_to(&application.outbox);
        Self { application, store, book, submitter, sandbox, jumped, extra }
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Value) {
        let response = self.application.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let (status, _, answer) = self.call(give(body, None)).await;
        (status, answer)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {KEY}"));
        let (status, _, answer) = self.call(request.body(Body::empty()).unwrap()).await;
        (status, answer)
    }

    pub(crate) async fn give(&self, body: &Value) -> String {
        let (status, answer) = self.post(body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    /// A profile of the shop of an account that sends through its own servers.
    pub(crate) async fn profile(&self, name: &str, login: &str) -> ProfileId {
        self.book.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        self.save(name, None, login).await
    }

    pub(crate) async fn save(&self, name: &str, id: Option<ProfileId>, login: &str) -> ProfileId {
        self.save_for(name, None, id, login).await
    }

    /// A profile of one of the account's users.
    async fn save_for(&self, name: &str, user: Option<&str>, id: Option<ProfileId>, login: &str) -> ProfileId {
        self.save_to(name, user, id, destination(&self.sandbox, login)).await
    }

    /// A profile that sends in clear to this port.
    async fn save_at(&self, name: &str, id: Option<ProfileId>, port: u16) -> ProfileId {
        self.book.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        let destination = Destination {
            host: format!("plain.{DOMAIN}"),
            port,
            security: Security::None,
            ..destination(&self.sandbox, "boutique")
        };
        self.save_to(name, None, id, destination).await
    }

    async fn save_to(
        &self,
        name: &str,
        user: Option<&str>,
        id: Option<ProfileId>,
        destination: Destination,
    ) -> ProfileId {
        let settings = Settings {
            preset: None,
            user: user.map(str::to_owned),
            destination,
            sender_name: "Boulangerie Martin".to_owned(),
            sender_address: EmailAddress::parse("devis@martin.exemple").unwrap(),
            reply_to: None,
        };
        let secret = SecretChange::Replace(SecretString::from(PASSWORD));
        self.book.save(by(&account(name)), Target { id, ..Target::default() }, settings, secret).await.unwrap()
    }

    async fn resend(&self, id: &str) -> (StatusCode, Value) {
        let request = Request::post(format!("/api/v1/messages/{id}/resend"))
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .body(Body::empty());
        let (status, _, answer) = self.call(request.unwrap()).await;
        (status, answer)
    }

    /// Waits until the message is in this state.
    pub(crate) async fn until(&self, id: &str, state: &str) -> Value {
        let mut last = Value::Null;
        for _ in 0..200 {
            last = self.get(&format!("/api/v1/messages/{id}")).await.1;
            if last["state"] == state {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {state}: {last:#}");
    }

    /// How often somebody tried to log in at the sandbox.
    pub(crate) fn logins(&self) -> u32 {
        self.sandbox.inbox().logins()
    }

    fn arrived(&self, subject: &str) -> Vec<Received> {
        self.sandbox.inbox().messages().into_iter().filter(|mail| mail.subject == subject).collect()
    }

    async fn events(&self) -> Vec<Value> {
        let now = (config::clock())();
        let rows = self.store.due_events("demo", now, 99).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.content).unwrap()).collect()
    }
}

use crate::store::{aggregates::*, outbox::CommitMark};

fn destination(sandbox: &Sandbox, login: &str) -> Destination {
    Destination {
        host: format!("smtp.{DOMAIN}"),
        port: sandbox.tls_addr().port(),
        security: Security::Tls,
        login: format!("{login}@{DOMAIN}"),
        mechanism: None,
    }
}

pub(crate) fn give(body: &Value, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/api/v1/messages")
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn message(account: &str, subject: &str) -> Value {
    json!({
        "account": account,
        "to": [{ "address": "claire@client.example", "name": "Claire" }],
        "subject": subject,
        "text": "Bonjour",
    })
}

/// The mark of a worker that was never heard of again.
fn commit_mark(id: &str, to: Option<&[&str]>) -> CommitMark {
    let to = to.map(|to| to.iter().map(|address| (*address).to_owned()).collect());
    CommitMark { id: id.parse().unwrap(), lease_token: "dead".to_owned(), to }
}

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
    let [mail] = &post.arrived("Votre devis à signer")[..] else { panic!("it did not arrive once") };
    assert_eq!(mail.from, "Boulangerie Martin <devis@martin.exemple>");
    assert_eq!((mail.mail_from.as_str(), mail.rcpt_to.len()), ("devis@martin.exemple", 3));
    assert!(!mail.raw.contains("archives@") && mail.raw.contains("Cc: karim@client.example"), "{}", mail.raw);
    assert!(mail.raw.contains(&format!("Message-ID: <{}>", done["message_id"].as_str().unwrap())));
    assert!(mail.raw.contains("devis.pdf") && mail.raw.contains("SGVsbG8="));
    let row = post.store.message("demo", id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(post.store.content(row.id).await.unwrap(), None, "its text is not kept");
    let event = &post.events().await[0];
    assert_eq!((&event["type"], &event["data"]["message"]), (&json!("message.accepted"), &json!(id)));
    assert!(!event.to_string().contains("client.example"), "no address leaves in an event");
    let shown = Profiles::get(&post.book, &account("martin"), profile).await.unwrap().unwrap();
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
    post.book.set(by(&account("martin")), SendingMode::OwnSmtp, None).await.unwrap();
    // Chosen before there is one, as the tutorial has it: what left before still leaves.
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
    post.book.set(by(&elsewhere), SendingMode::OwnSmtp, None).await.unwrap();
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
    post.book.changed(&account("martin")).await;
    let id = post.give(&message("martin", "Toujours par le portail")).await;
    assert_eq!(post.until(&id, "accepted").await["attempts"][0]["via"], "relay");
    post.save("martin", Some(profile), "boutique").await;
    let mut of_a_user = message("martin", "Pour Karim");
    of_a_user["user"] = json!("karim");
    let id = post.give(&of_a_user).await;
    post.until(&id, "accepted").await;
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
    let shown = Profiles::get(&post.book, &account("martin"), profile).await.unwrap().unwrap();
    assert!(shown.health.is_broken());
    let waiting: Vec<String> =
        futures::future::join_all((1..=2).map(|_| async { post.give(&message("martin", "Plus tard")).await })).await;
    let held = post.until(&waiting[0], "deferred").await;
    assert_eq!((&held["cause"], held["attempts"].as_array().unwrap().len()), (&json!("bad_credentials"), 0));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let logins = post.store.profile(&account("martin"), profile).await.unwrap().unwrap().secret_refusals;
    assert_eq!(logins, 3, "the password is not tried any more: providers lock accounts");
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
    post.book.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
    post.application.outbox.start();
    let id = post.give(&message("martin", "Quand même")).await;
    let done = post.until(&id, "accepted").await;
    let ways: Vec<_> = done["attempts"].as_array().unwrap().iter().map(|one| (&one["via"], &one["outcome"])).collect();
    assert_eq!(ways, [(&json!("profile"), &json!("failed")), (&json!("fallback"), &json!("accepted"))]);
    let mail = &post.arrived("Quand même")[0];
    assert_eq!(mail.from, "Comptoir <ne-pas-repondre@comptoir.exemple>");
    assert!(mail.raw.contains("Reply-To: \"Boulangerie Martin\"\r\n <devis@martin.exemple>"), "{}", mail.raw);
    let shown = Profiles::get(&post.book, &account("martin"), profile).await.unwrap().unwrap();
    assert_eq!((shown.health.failures, shown.health.sent_at), (1, None), "it is not hidden");
    // What comes after it goes its own way again.
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
    // Somebody claimed both, was about to send the end of one, and was never heard of again.
    let claimed =
        crate::store::contract::claim(&*post.store, &lane, "dead", now, now + SignedDuration::from_secs(1), 9).await;
    assert_eq!(claimed.len(), 2);
    post.store.mark_commit(&[commit_mark(&marked, None)], now).await.unwrap();
    post.application.outbox.start();
    let one = post.until(&marked, "delivery_unknown").await;
    assert_eq!(one["attempts"][0]["outcome"], "delivery_unknown");
    let two = post.until(&unmarked, "accepted").await;
    assert_eq!(two["attempts"].as_array().unwrap().len(), 1, "it was claimed, not tried");
    assert_eq!((&one["attempts"][0]["via"], &one["attempts"][0]["stage"]), (&Value::Null, &json!("data")));
    assert_eq!((post.arrived("Un").len(), post.arrived("Deux").len()), (0, 1));
}

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
        rows.iter().map(|(row, _)| row.state).collect::<Vec<_>>()
    };
    assert!(!states().await.contains(&MessageState::Sending), "what was not sent was given back");
    let again = Post::of(post.store.clone()).await;
    // The profile's server is the first sandbox: it still runs.
    again.application.outbox.start();
    for id in &ids {
        // The second one trusts another authority, so it says no for good, or the first one had sent it.
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

#[tokio::test]
async fn the_day_s_amount_holds_to_the_message() {
    let post = Post::new().await;
    let profile = post.profile("martin", "boutique").await;
    let options = SendingOptions { per_day: Some(5), max_connections: Some(3), ..SendingOptions::default() };
    post.book.set_sending(by(&account("martin")), profile, options, None.into()).await.unwrap();
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
