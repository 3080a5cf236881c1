//! Several replicas on one PostgreSQL database, and a mail server that counts.

use std::{
    process::{Child, Command, Stdio},
    str::FromStr,
};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tokio::time::Instant;

use super::*;
use crate::{
    outbox::destinations::DestinationId,
    replicas::{DatabaseClock, Replicas, TERMS, Terms},
    store::postgres::{PostgresStore, ServingLock, cluster},
};

mod node;
mod sink;

use node::Node;
use sink::Sink;

/// Marks a test's process as a replica: the database's URL, the sink's port, and how many messages to enqueue.
const CHILD: &str = "FACTEUR_TEST_REPLICA";
/// Short enough for a test; leases of messages last three seconds.
const SHORT: Terms = Terms {
    lease: Duration::from_secs(3),
    renew_every: Duration::from_millis(500),
    trusted_for: Duration::from_millis(2_500),
    frozen_for: Duration::from_secs(3),
};

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

/// A connection that is being closed keeps its place until the server has answered. No other replica holds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_quit_late_is_not_left_alone_for_a_second() {
    let Some(database) = database().await else { return };
    let sink = Sink::parting(Duration::ZERO, Duration::from_millis(400)).await;
    let node = Node::new(&database, sink.port, TERMS).await;
    let profile = node.profile("martin", sink.port, 1, None).await;
    node.start().await;
    node.give("martin", "Un").await;
    node.until_done().await;
    node.application.outbox.destinations.close(&DestinationId::Profile(profile));
    let began = Instant::now();
    node.give("martin", "Deux").await;
    node.until_done().await;
    assert!(began.elapsed() < Duration::from_millis(1_100), "{:?}", began.elapsed());
    assert_eq!((sink.distinct(), sink.most_open()), ((2, 2), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_a_minute_holds_however_many_replicas_send() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::ZERO).await;
    let (one, other) = (Node::new(&database, sink.port, TERMS).await, Node::new(&database, sink.port, TERMS).await);
    // Two per second, after a burst of twelve.
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
            // A message that arrives late was permitted earlier: one on each of the four connections.
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
    // Without notices: the route's age decides.
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
    // Notices arrive once it listens.
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
        assert!(changed.elapsed() < Duration::from_secs(8), "the other replica keeps the old route");
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

/// Run by [`Process`]: sends until it is killed. Does nothing as an ordinary test.
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
    // The parent process kills it; without a parent it ends by itself.
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
    panic!("no message is being sent: {:?}", one.states().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stands_still_past_its_lease_sends_nothing_a_second_time() {
    let Some(database) = database().await else { return };
    let sink = Sink::start(Duration::from_millis(30)).await;
    let one = Node::new(&database, sink.port, SHORT).await;
    let process = in_the_middle(&sink, &one, &database, 60).await;
    process.signal(rustix::process::Signal::STOP);
    // The other replica takes over the enqueued messages, and those being sent.
    one.start().await;
    let states = one.until_done().await;
    let (all, distinct) = sink.distinct();
    process.signal(rustix::process::Signal::CONT);
    // The process resumes, and finds that its leases have expired.
    for number in 0..10 {
        one.give("martin", &format!("Après {number}")).await;
    }
    let after = one.until_done().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let unknown = after.get("delivery_unknown").copied().unwrap_or_default();
    assert!(unknown <= 2, "only messages that may have been sent are unknown: {states:?} {after:?}");
    let (all_after, distinct_after) = sink.distinct();
    assert_eq!((all, all_after), (distinct, distinct_after), "no message twice");
    let told: i64 = after.values().sum();
    assert_eq!(after.get("accepted").copied().unwrap_or_default() + unknown, told, "{after:?}");
    assert!(i64::try_from(distinct_after).unwrap() >= told - unknown, "every accepted message has arrived");
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
