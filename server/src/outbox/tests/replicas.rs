//! Several replicas on one PostgreSQL database, and a mail server that counts.

use std::{
    process::{Child, Command, Stdio},
    str::FromStr,
};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tokio::time::Instant;

use super::*;
use crate::{
    replicas::{DatabaseClock, Replicas, TERMS, Terms},
    store::postgres::{PostgresStore, ServingLock, cluster},
};

mod sink;

use sink::Sink;

/// Tells a test's process that it is a replica: the database's URL, the sink's port, and how many messages to put in.
const CHILD: &str = "FACTEUR_TEST_REPLICA";
/// Short enough for a test; leases of messages last three seconds.
const SHORT: Terms = Terms {
    lease: Duration::from_secs(3),
    renew_every: Duration::from_millis(500),
    trusted_for: Duration::from_millis(2_500),
    frozen_for: Duration::from_secs(3),
};

/// One replica: an application of its own on the shared database.
struct Node {
    application: Application,
    replicas: Replicas,
    profiles: ProfileService,
    store: PostgresStore,
    listening: tokio::task::JoinHandle<()>,
    _lock: ServingLock,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Node {
    async fn new(database: &PgConnectOptions, port: u16, terms: Terms) -> Self {
        let store = PostgresStore::open(database.clone(), 4).await.unwrap();
        let lock = ServingLock::join(database).await.unwrap();
        let machine = config::machine();
        let database_clock = DatabaseClock::new(&store, &machine).await.unwrap();
        let time = Steady::new(database_clock.on_the_wall_of(machine));
        let shared = Arc::new(store.clone());
        let replicas = Replicas::among(shared.clone(), lock.replica().unwrap(), Some(database_clock), terms);
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut policy = Policy::default();
        policy.static_addresses.push((format!("*.{DOMAIN}"), vec![loopback]));
        policy.allow_ports.push(port);
        policy.plaintext_hosts.push(format!("plain.{DOMAIN}"));
        let submitter = Submitter::new(SubmitterOptions {
            policy: policy.clone(),
            ehlo_name: EhloName::parse("facteur.example").unwrap(),
            extra_roots: vec![authority()],
            system_roots: false,
            limits: Limits::default(),
            control: None,
        });
        let vault = Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap();
        let portal = Portal {
            id: "demo".to_owned(),
            name: "Comptoir".to_owned(),
            origins: vec!["https://portail.exemple".to_owned()],
            home: None,
            keys: vec![PortalKey::shared("k1", &[7; 32]).unwrap()],
            require_challenge: false,
            theme: app::theme::GivenTheme::default(),
            api_keys: vec![ApiKey { id: "a1".to_owned(), hash: Sha256::digest(KEY.as_bytes()).into() }],
            relay: None,
            webhook: None,
        };
        let options = OutboxOptions {
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_millis(400),
            lease: Duration::from_secs(3),
            ..options()
        };
        let application = application(Parts {
            public_origin: "https://facteur.exemple".to_owned(),
            base_path: app::base_path::BasePath::default(),
            portals: vec![portal],
            store: shared.clone(),
            replicas: replicas.clone(),
            vault: vault.clone(),
            submitter: Arc::new(submitter.unwrap()),
            presets: Arc::new(Catalogue::builtin()),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: options,
            bodies: crate::http::BodyBudget::default(),
            clock: time.clock(),
        });
        application.outbox.watch(time.clone());
        let profiles = ProfileService::new(shared, vault, policy, time.clock());
        profiles.set_change_listener(&application.outbox);
        let hearing = replicas.clone();
        let listening = tokio::spawn(store.clone().listen(move |notice| hearing.heard(notice)));
        Self { application, replicas, profiles, store, listening, _lock: lock }
    }

    async fn stop(&self) {
        self.application.outbox.stop(Duration::from_secs(10)).await;
        self.replicas.leave().await;
    }

    async fn start(&self) {
        self.replicas.start().await;
        self.application.outbox.start();
    }

    /// A profile whose server is the sink, with so many connections and messages a minute.
    async fn profile(&self, name: &str, port: u16, connections: u32, per_minute: Option<u32>) -> ProfileId {
        self.profiles.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        let settings = Settings {
            preset: None,
            user: None,
            destination: Destination {
                host: format!("plain.{DOMAIN}"),
                port,
                security: Security::None,
                login: "boutique".to_owned(),
                mechanism: None,
            },
            sender_name: "Boulangerie".to_owned(),
            sender_address: EmailAddress::parse("devis@martin.exemple").unwrap(),
            reply_to: None,
        };
        let secret = SecretChange::Replace(SecretString::from(PASSWORD));
        let id = self.profiles.save(by(&account(name)), Target::default(), settings, secret).await.unwrap();
        let options = SendingOptions { max_connections: Some(connections), per_minute, ..SendingOptions::default() };
        self.profiles.set_sending(by(&account(name)), id, options, None.into()).await.unwrap();
        id
    }

    async fn give(&self, name: &str, subject: &str) -> String {
        let request = give(&message(name, subject), None);
        let response = self.application.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// How many messages are in each state.
    async fn states(&self) -> HashMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT state, count(*) FROM message GROUP BY state")
            .fetch_all(cluster::pool_of(&self.store))
            .await
            .unwrap();
        rows.into_iter().collect()
    }

    /// Waits until no message is waiting or being sent.
    async fn until_done(&self) -> HashMap<String, i64> {
        for _ in 0..1_200 {
            let states = self.states().await;
            if !["queued", "deferred", "sending"].iter().any(|state| states.contains_key(*state)) {
                return states;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not end: {:?}", self.states().await);
    }
}

/// A client without any authority is not made; nobody is asked for a certificate here.
fn authority() -> rustls::pki_types::CertificateDer<'static> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    certificate.der().clone()
}

/// How to reach a database for these tests.
async fn database() -> Option<PgConnectOptions> {
    cluster::database(cluster::TEMPLATE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_send_everything_once_over_as_many_connections_as_one_may_have() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::from_millis(5)).await;
    let (one, other) = (Node::new(&database, sink.port, TERMS).await, Node::new(&database, sink.port, TERMS).await);
    for name in ["martin", "dubois"] {
        one.profile(name, sink.port, 2, None).await;
    }
    one.start().await;
    other.start().await;
    for number in 0..60 {
        let name = if number % 2 == 0 { "martin" } else { "dubois" };
        one.give(name, &format!("Un {number}")).await;
        other.give(name, &format!("Deux {number}")).await;
    }
    let states = one.until_done().await;
    assert_eq!(states, HashMap::from([("accepted".to_owned(), 120)]));
    assert_eq!(sink.distinct(), (120, 120), "each message once");
    assert!(
        sink.most_open() <= 4,
        "two connections for each of two profiles, not for each replica: {}",
        sink.most_open()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_a_minute_holds_however_many_replicas_send() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::ZERO).await;
    let (one, other) = (Node::new(&database, sink.port, TERMS).await, Node::new(&database, sink.port, TERMS).await);
    // Two a second, and twelve at once.
    one.profile("martin", sink.port, 4, Some(120)).await;
    one.start().await;
    other.start().await;
    for number in 0..12 {
        one.give("martin", &format!("Un {number}")).await;
        other.give("martin", &format!("Deux {number}")).await;
    }
    let states = one.until_done().await;
    assert_eq!(states, HashMap::from([("accepted".to_owned(), 24)]));
    let arrived = sink.arrivals();
    for (number, from) in arrived.iter().enumerate() {
        for (more, to) in arrived[number..].iter().enumerate() {
            let seconds = to.duration_since(*from).as_secs_f64();
            // What arrives late was allowed earlier: one message on each of the four connections.
            let most = 12.0 + 2.0 * seconds + 4.0 + 1.0;
            #[expect(clippy::cast_precision_loss, reason = "a few messages")]
            let came = (more + 1) as f64;
            assert!(came <= most, "{came} messages in {seconds} s");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_to_a_replica_that_sends_nothing_is_sent_by_another_and_changes_reach_all() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::ZERO).await;
    let (one, other) = (Node::new(&database, sink.port, TERMS).await, Node::new(&database, sink.port, TERMS).await);
    // Without notices: it is found by looking.
    other.listening.abort();
    let profile = one.profile("martin", sink.port, 2, None).await;
    other.start().await;
    one.give("martin", "Chez l’autre").await;
    other.until_done().await;
    assert_eq!((sink.distinct(), sink.open()), ((1, 1), 1), "the connection stays for the next one");
    other.stop().await;
    one.replicas.start().await;
    let other = Node::new(&database, sink.port, TERMS).await;
    other.start().await;
    let account = account("martin");
    // Notices are heard from when it listens.
    let mut before = other.application.outbox.changes.now(&account);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        let now = other.application.outbox.changes.now(&account);
        if now > 0 && now == before {
            break;
        }
        before = now;
    }
    one.give("martin", "Encore").await;
    other.until_done().await;
    let opened = sink.open();
    let changed = Instant::now();
    let options = SendingOptions { max_connections: Some(1), ..SendingOptions::default() };
    one.profiles.set_sending(by(&account), profile, options, None.into()).await.unwrap();
    one.profiles.changed_profile(&account, profile, true).await;
    while other.application.outbox.changes.now(&account) == before || sink.open() >= opened {
        assert!(changed.elapsed() < Duration::from_secs(8), "the other replica keeps what was changed");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// A replica in a process of its own: this test, run again.
struct Process(Child);

impl Process {
    fn start(database: &PgConnectOptions, port: u16, messages: usize) -> Self {
        let said = format!("{}|{port}|{messages}", database.to_url_lossy());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbox::tests::replicas::a_replica_in_a_process_of_its_own", "--nocapture"])
            .env(CHILD, said)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What [`Process`] runs: sends until it is killed. By itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_in_a_process_of_its_own() {
    let Some(said) = std::env::var_os(CHILD) else { return };
    let said = said.into_string().unwrap();
    let mut parts = said.rsplitn(3, '|');
    let messages: usize = parts.next().unwrap().parse().unwrap();
    let port = parts.next().unwrap().parse().unwrap();
    let database = PgConnectOptions::from_str(parts.next().unwrap()).unwrap();
    let node = Node::new(&database, port, SHORT).await;
    node.start().await;
    for number in 0..messages {
        node.give("martin", &format!("Du processus {number}")).await;
    }
    // Whoever started it kills it; if that one is gone, it goes too.
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// Starts a process that sends over one of two connections, and waits until it is in the middle of a message.
async fn in_the_middle(sink: &Sink, one: &Node, database: &PgConnectOptions, messages: usize) -> Process {
    one.profile("martin", sink.port, 2, None).await;
    let process = Process::start(database, sink.port, messages);
    for _ in 0..1_200 {
        if sink.distinct().0 >= 3 && one.states().await.get("sending").is_some_and(|sending| *sending > 0) {
            return process;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it does not begin: {:?}", one.states().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stands_still_past_its_lease_sends_nothing_a_second_time() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::from_millis(30)).await;
    let one = Node::new(&database, sink.port, SHORT).await;
    let process = in_the_middle(&sink, &one, &database, 60).await;
    process.signal(rustix::process::Signal::STOP);
    // The other one takes over what was given, and what was being sent.
    one.start().await;
    let states = one.until_done().await;
    let (all, distinct) = sink.distinct();
    process.signal(rustix::process::Signal::CONT);
    // It wakes, and finds that nothing is its own any more.
    for number in 0..10 {
        one.give("martin", &format!("Après {number}")).await;
    }
    let after = one.until_done().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let unknown = after.get("delivery_unknown").copied().unwrap_or_default();
    assert!(unknown <= 2, "only what may have left is unknown: {states:?} {after:?}");
    let (all_after, distinct_after) = sink.distinct();
    assert_eq!((all, all_after), (distinct, distinct_after), "no message twice");
    let told: i64 = after.values().sum();
    assert_eq!(after.get("accepted").copied().unwrap_or_default() + unknown, told, "{after:?}");
    assert!(i64::try_from(distinct_after).unwrap() >= told - unknown, "what was accepted has arrived");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_replica_is_killed_another_one_sends_the_rest_within_the_limits() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::from_millis(30)).await;
    let one = Node::new(&database, sink.port, SHORT).await;
    let mut process = in_the_middle(&sink, &one, &database, 60).await;
    one.start().await;
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    let states = one.until_done().await;
    let (all, distinct) = sink.distinct();
    let unknown = states.get("delivery_unknown").copied().unwrap_or_default();
    assert_eq!(all, distinct, "no message twice");
    assert!(unknown <= 2, "{states:?}");
    assert_eq!(
        states.get("accepted").copied().unwrap_or_default() + unknown,
        states.values().sum::<i64>(),
        "{states:?}"
    );
    assert!(sink.most_open() <= 2, "{}", sink.most_open());
}
