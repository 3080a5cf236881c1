//! Replicas side by side on one database.

use jiff::SignedDuration;

use super::*;
use crate::{
    store::postgres::{PostgresStore, ServingLock, cluster},
    time::Machine,
};

/// Short enough for a test.
const SHORT: Terms = Terms {
    lease: Duration::from_millis(1_500),
    renew_every: Duration::from_millis(300),
    trusted_for: Duration::from_millis(1_200),
    frozen_for: Duration::from_secs(60),
};

pub(crate) struct Node {
    pub replicas: Replicas,
    store: PostgresStore,
    lock: ServingLock,
}

impl Node {
    pub async fn new(store: &PostgresStore, terms: Terms) -> Self {
        let store = cluster::beside(store).await;
        let lock = ServingLock::join(&cluster::options_of(&store)).await.unwrap();
        let replicas = Replicas::among(Arc::new(store.clone()), lock.replica().unwrap(), None, terms);
        replicas.start().await;
        Self { replicas, store, lock }
    }

    async fn take(&self, name: &str, most: u32) -> Option<Place> {
        self.replicas.take(|| name.to_owned(), most).await
    }

    /// Takes a place as soon as one is free.
    async fn wait_for(&self, name: &str, most: u32) -> Place {
        for _ in 0..600 {
            if let Some(place) = self.take(name, most).await {
                return place;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no place became free");
    }
}

#[tokio::test]
async fn places_go_from_one_replica_to_the_other_and_only_one_has_a_turn() {
    let Some(store) = cluster::store().await else { return };
    let (one, other) = (Node::new(&store, TERMS).await, Node::new(&store, TERMS).await);
    assert!(!one.replicas.is_only().await);
    let places = [one.take("a", 3).await.unwrap(), one.take("a", 3).await.unwrap(), other.take("a", 3).await.unwrap()];
    assert!(one.take("a", 3).await.is_none() && other.take("a", 3).await.is_none());
    drop(places);
    // Unused places are released automatically.
    let _all = [other.wait_for("a", 3).await, other.wait_for("a", 3).await, other.wait_for("a", 3).await];
    let turn = one.replicas.take_turn(|| "turn".to_owned()).await.unwrap();
    assert!(other.replicas.take_turn(|| "turn".to_owned()).await.is_none());
    // It leaves, and announces it.
    one.replicas.leave().await;
    assert!(!turn.is_held() && !one.replicas.is_current() && one.take("b", 9).await.is_none());
    assert!(other.replicas.take_turn(|| "turn".to_owned()).await.is_some());
    assert!(other.replicas.is_only().await);
}

#[tokio::test]
async fn a_process_that_is_gone_leaves_its_places_and_one_that_was_forgotten_hears_of_it() {
    let Some(store) = cluster::store().await else { return };
    let (one, other) = (Node::new(&store, SHORT).await, Node::new(&store, SHORT).await);
    let place = one.take("a", 1).await.unwrap();
    let lost = one.replicas.lost();
    assert!(other.take("a", 1).await.is_none());
    // It was paused so long that the others have deleted it.
    sqlx::query("DELETE FROM replica WHERE id = $1")
        .bind(one.lock.replica().unwrap())
        .execute(cluster::pool_of(&store))
        .await
        .unwrap();
    let theirs = other.wait_for("a", 1).await;
    lost.cancelled().await;
    assert!(!place.is_held() && theirs.is_held());
    drop(place);
    assert!(one.take("a", 1).await.is_none(), "it does not release a place that another replica holds");
    drop(theirs);
    let again = one.wait_for("a", 1).await;
    assert!(again.is_held());
    // Now its process ends without leaving.
    one.replicas.shared.as_ref().unwrap().stop.cancel();
    drop((one, again));
    other.wait_for("a", 1).await;
}

#[tokio::test]
async fn a_replica_without_the_database_begins_nothing_and_comes_back_with_nothing() {
    let Some(store) = cluster::store().await else { return };
    let one = Node::new(&store, SHORT).await;
    let _place = one.take("a", 1).await.unwrap();
    let lost = one.replicas.lost();
    let mut locked = cluster::pool_of(&store).begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE replica IN ACCESS EXCLUSIVE MODE").execute(&mut *locked).await.unwrap();
    lost.cancelled().await;
    assert!(!one.replicas.is_current() && one.take("a", 1).await.is_none());
    locked.rollback().await.unwrap();
    let _again = one.wait_for("a", 1).await;
    let places: i64 = sqlx::query_scalar("SELECT coalesce(sum(amount), 0)::bigint FROM place")
        .fetch_one(cluster::pool_of(&store))
        .await
        .unwrap();
    assert_eq!(places, 1, "its former place is not counted twice");
}

#[tokio::test]
async fn replicas_hear_each_other_also_after_their_connection_was_cut() {
    let Some(store) = cluster::store().await else { return };
    let (one, other) = (Node::new(&store, TERMS).await, Node::new(&store, TERMS).await);
    let mut notices = other.replicas.notices().unwrap();
    let listening = {
        let replicas = other.replicas.clone();
        tokio::spawn(other.store.clone().listen(move |notice| replicas.heard(notice)))
    };
    assert_eq!(notices.recv().await.unwrap(), Notice::Missed, "reported once it listens");
    let hear = async |notices: &mut broadcast::Receiver<Notice>, wanted: Notice| {
        let heard = async { while notices.recv().await.unwrap() != wanted {} };
        tokio::time::timeout(Duration::from_secs(30), heard).await.expect("the notice did not arrive");
    };
    one.replicas.tell(Notice::Work);
    hear(&mut notices, Notice::Work).await;
    // A replica does not receive its own notices.
    other.replicas.tell(Notice::Clock);
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .execute(cluster::pool_of(&store))
    .await
    .unwrap();
    hear(&mut notices, Notice::Missed).await;
    one.replicas.tell(Notice::Recovered { destination: "relay".to_owned() });
    hear(&mut notices, Notice::Recovered { destination: "relay".to_owned() }).await;
    listening.abort();
}

#[tokio::test]
async fn alone_nothing_is_asked() {
    let alone = Replicas::alone();
    assert!(!alone.is_shared() && alone.is_current() && alone.is_only().await && alone.notices().is_none());
    let places: Vec<_> = futures::future::join_all((0..9).map(|_| alone.take(|| panic!("no name is needed"), 1))).await;
    assert!(places.iter().all(Option::is_some));
    assert_eq!(alone.take_rate("a", Rate { per_second: 0.0, burst: 0.0 }, 7).await, Ok(7));
}

/// A machine whose own clock is an hour wrong.
fn wrong_machine(by: SignedDuration) -> Machine {
    let machine = crate::config::machine();
    let wall = machine.wall.clone();
    Machine { wall: Arc::new(move || wall() + by), ..machine }
}

#[tokio::test]
async fn everybody_reads_the_database_s_clock_whatever_their_own_shows() {
    let Some(store) = cluster::store().await else { return };
    let hour = SignedDuration::from_hours(1);
    for by in [hour, -hour] {
        let clock = DatabaseClock::new(&store, &wrong_machine(by)).await.unwrap();
        let machine = clock.on_the_wall_of(wrong_machine(by));
        let difference = (machine.wall)().duration_since(store.time().await.unwrap());
        assert!(difference.abs() < SignedDuration::from_secs(30), "{difference}");
    }
}
