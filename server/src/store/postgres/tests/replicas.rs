//! What replicas share: places of limits, rates, the clock, and a schema that is one version newer.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::Executor;

use super::*;
use crate::{
    store::replicas::{PlaceTarget, Rate, ReplicaStore},
    time::{Mark, between},
};

const LEASE: Duration = Duration::from_secs(60);

fn target(name: &str, target: u32, most: u32) -> PlaceTarget {
    PlaceTarget { name: name.to_owned(), target, most }
}

async fn places(store: &PostgresStore, name: &str) -> i64 {
    sqlx::query_scalar("SELECT coalesce(sum(amount), 0)::bigint FROM place WHERE name = $1")
        .bind(name)
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn all_replicas_together_have_no_more_places_than_there_are() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    for id in 1..=2 {
        assert!(!one.renew(id, LEASE, false).await.unwrap(), "the replica is new");
    }
    // Many at once, in different orders.
    let names: Vec<String> = (0..20).map(|number| format!("limit {number}")).collect();
    let claim = async |store: &PostgresStore, id: i32, backwards: bool| {
        for wanted in 1..=3 {
            let mut targets: Vec<PlaceTarget> = names.iter().map(|name| target(name, wanted, 3)).collect();
            if backwards {
                targets.reverse();
            }
            store.set_places(id, &targets).await.unwrap();
        }
    };
    tokio::join!(claim(&one, 1, false), claim(&other, 2, true));
    for name in &names {
        assert_eq!(places(&one, name).await, 3, "{name}: all of them are taken");
    }
    // The last place: no other replica may take one.
    let held = one.set_places(1, &[target("probe", 2, 2)]).await.unwrap();
    assert_eq!(held, [true]);
    assert_eq!(other.set_places(2, &[target("probe", 1, 1)]).await.unwrap(), [false]);
    assert_eq!(
        one.set_places(1, &[target("probe", 1, 1)]).await.unwrap(),
        [true],
        "fewer than before, and none for others"
    );
    let back = [target("probe", 5, 0), target("probe", 0, 0)];
    assert_eq!(one.set_places(1, &back).await.unwrap(), [false, true], "giving places back takes none");
    assert_eq!(other.set_places(2, &[target("probe", 1, 1)]).await.unwrap(), [true]);
    // Places for a replica that does not exist.
    assert!(one.set_places(3, &[target("probe", 1, 9)]).await.is_err());
}

#[tokio::test]
async fn the_places_of_a_process_are_free_when_it_is_gone_and_not_while_it_only_stands_still() {
    let Some(store) = cluster::store().await else { return };
    let options = (*store.pool.connect_options()).clone();
    let lock = ServingLock::join(&options).await.unwrap();
    let id = lock.replica().unwrap();
    let (short, long) = (Duration::from_millis(1), Duration::from_secs(3_600));
    store.renew(id, short, false).await.unwrap();
    store.set_places(id, &[target("a", 2, 2)]).await.unwrap();
    store.pool.execute("SELECT pg_sleep(0.02)").await.unwrap();
    assert_eq!(store.forget_dead(long).await.unwrap(), 0, "its session still runs");
    assert_eq!(places(&store, "a").await, 2);
    // Its own clock does not matter: it has renewed its lease.
    assert!(store.renew(id, LEASE, false).await.unwrap());
    drop(lock);
    for _ in 0..500 {
        if ServingLock::take(&options).await.is_ok() {
            break;
        }
    }
    assert_eq!(store.forget_dead(Duration::ZERO).await.unwrap(), 0, "it may come back before `patience` is over");
    store.renew(id, short, false).await.unwrap();
    store.pool.execute("SELECT pg_sleep(0.02)").await.unwrap();
    assert_eq!((store.forget_dead(long).await.unwrap(), places(&store, "a").await), (1, 0));
    assert!(!store.renew(id, LEASE, false).await.unwrap(), "it learns that it was gone");
    // A process that is paused for very long keeps nothing.
    let frozen = ServingLock::join(&options).await.unwrap();
    store.renew(frozen.replica().unwrap(), short, false).await.unwrap();
    store.pool.execute("SELECT pg_sleep(0.02)").await.unwrap();
    assert_eq!(store.forget_dead(Duration::ZERO).await.unwrap(), 1);
}

#[tokio::test]
async fn a_rate_holds_over_all_replicas() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let rate = Rate { per_second: 0.01, burst: 6.0 };
    let take = async |store: &PostgresStore| {
        let mut taken = 0;
        while let Ok(portion) = store.take_rate("a", rate, 2).await.unwrap() {
            taken += portion;
        }
        taken
    };
    let (here, there) = tokio::join!(take(&one), take(&other));
    assert_eq!(here + there, 6);
    let wait = other.take_rate("a", rate, 1).await.unwrap().unwrap_err();
    assert!((Duration::from_secs(50)..=Duration::from_secs(100)).contains(&wait), "{wait:?}");
    assert_eq!(one.take_rate("b", Rate { per_second: 1.0, burst: 1.0 }, 5).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn when_the_database_s_clock_is_set_the_first_machine_moves_the_deadlines_and_the_others_do_not() {
    let Some(store) = cluster::store().await else { return };
    store.insert_messages(&[message("a", 100)]).await.unwrap();
    let up = AtomicU64::new(50);
    let mark = |second: i64, boot: &str| Mark {
        wall: at(second),
        boot: boot.into(),
        up: Duration::from_secs(up.load(Ordering::Relaxed)),
    };
    let expiry = async || {
        let expires_at: i64 =
            sqlx::query_scalar("SELECT expires_at FROM message").fetch_one(&store.pool).await.unwrap();
        expires_at / 1_000 - at(1_100).as_second()
    };
    for machine in ["a", "b"] {
        store.pass_time(&mark(200, machine), between).await.unwrap();
    }
    up.fetch_add(10, Ordering::Relaxed);
    for (machine, jump) in [("b", 86_400), ("a", 0), ("b", 0)] {
        let passage = store.pass_time(&mark(210 + 86_400, machine), between).await.unwrap().unwrap();
        assert_eq!((passage.jump.as_secs(), passage.is_away()), (jump, false), "{machine}");
        assert_eq!(expiry().await, 86_400);
    }
    // One machine was off for hours; the other ran all the time, so no message gets extra time.
    up.fetch_add(4 * 3_600, Ordering::Relaxed);
    store.pass_time(&mark(210 + 86_400 + 4 * 3_600, "a"), between).await.unwrap();
    let back = store.pass_time(&mark(211 + 86_400 + 4 * 3_600, "b"), between).await.unwrap().unwrap();
    assert_eq!((back.jump.as_secs(), back.is_away()), (0, false));
    // A machine that has just started sees no jump; one that ran before does.
    let new = store.pass_time(&mark(212 + 86_400 + 4 * 3_600, "c"), between).await.unwrap().unwrap();
    assert_eq!((new.jump.as_secs(), new.is_away()), (0, false));
}

#[tokio::test]
async fn a_schema_that_is_one_migration_newer_is_used_and_one_that_is_two_is_refused() {
    let Some(store) = cluster::store().await else { return };
    let options = (*store.pool.connect_options()).clone();
    let newest: i64 =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&store.pool).await.unwrap();
    let newer = async |version: i64| {
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES ($1, 'of tomorrow', TRUE, '', 1)",
        )
        .bind(version)
        .execute(&store.pool)
        .await
        .unwrap();
    };
    newer(newest + 1).await;
    PostgresStore::open(options.clone(), 2).await.unwrap().heartbeat(at(1)).await.unwrap();
    newer(newest + 2).await;
    let refused = PostgresStore::open(options, 2).await.err().unwrap();
    assert!(matches!(refused, StoreError::TooNew { .. }), "{refused:?}");
    assert!(refused.to_string().contains(&format!("version {}", newest + 2)), "{refused}");
}
