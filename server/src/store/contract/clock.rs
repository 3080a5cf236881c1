//! What every store does when the clock was set.

use std::time::Duration;

use jiff::SignedDuration;

use super::{at, insert, queue, row, session, *};
use crate::{
    events::profile_transition,
    store::outbox::MessageState,
    time::{Elapsed, GRACE, Mark, between},
};

fn mark(second: i64, up: u64) -> Mark {
    Mark { wall: at(second), boot: "a".into(), up: Duration::from_secs(up) }
}

async fn set(store: &dyn Store, now: &Mark) -> i64 {
    store.pass_time(now, between).await.unwrap().unwrap().jump.as_secs()
}

pub(super) async fn deadlines_follow_a_clock_that_was_set(store: &dyn Store) {
    let shop = queue::lane("martin", None);
    let messages: Vec<_> = (1..=3).map(|number| queue::message(number, &shop, 100)).collect();
    store.insert_messages(&messages).await.unwrap();
    super::claim(store, &shop, queue::LEASE, at(110), at(140), 2).await;
    store.settle(&[queue::settlement(2, &shop, MessageState::Failed, 120)]).await.unwrap();
    insert(store, &account("martin"), &row(1, None)).await;
    let transition = app::profile::sending::HealthTransition::Recovered;
    let event = profile_transition(&account("martin"), &row(1, None), transition, at(120));
    let told = crate::store::outbox::Settlement {
        event: Some(event),
        ..queue::settlement(1, &shop, MessageState::Sending, 120)
    };
    store.settle(&[told]).await.unwrap();
    store.insert_session(&session(7)).await.unwrap();
    let ends = async || store.session(&[7; 32]).await.unwrap().unwrap().expires_at;
    let before = ends().await;
    assert_eq!(store.pass_time(&mark(130, 50), between).await.unwrap(), None, "the first look");
    let find = async |number| store.message("demo", Uuid::from_u128(number)).await.unwrap().unwrap();
    let mut by = 0;
    for (wall, up, jump) in [(131 + 5_000, 51, 5_000), (132 - 7_000, 52, -12_000), (133, 53, 7_000)] {
        assert_eq!(set(store, &mark(wall, up)).await, jump);
        by += jump;
        let (leased, finished, waiting) = (find(1).await, find(2).await, find(3).await);
        assert_eq!((waiting.next_at, waiting.expires_at), (Some(at(100 + by)), at(1_100 + by)));
        assert_eq!((finished.finished_at, waiting.created_at), (Some(at(120 + by)), at(100)));
        assert_eq!(leased.expires_at, at(1_100 + by));
        assert_eq!(store.abandoned(at(139 + by), 9).await.unwrap(), []);
        assert_eq!(store.abandoned(at(140 + by), 9).await.unwrap().len(), 1, "its lease moves");
        assert_eq!(store.due_events("demo", at(119 + by), 9).await.unwrap(), []);
        assert_eq!(store.due_events("demo", at(120 + by), 9).await.unwrap().len(), 1);
        assert_eq!(ends().await, before + SignedDuration::from_secs(by), "a session keeps its length");
    }
    assert_eq!(set(store, &mark(140, 60)).await, 0);
    assert_eq!(find(3).await.next_at, Some(at(100)), "time that passes moves nothing");
    // A used token stays used, even if its expiry turns out to be later.
    assert!(store.use_token("demo", &[1; 32], at(400)).await.unwrap());
    assert_eq!(set(store, &mark(141 - 1_000, 61)).await, -1_000);
    store.sweep(at(399), at(0)).await.unwrap();
    assert!(!store.use_token("demo", &[1; 32], at(400)).await.unwrap());
}

pub(super) async fn what_is_too_old_after_an_absence_gets_a_while(store: &dyn Store) {
    let shop = queue::lane("martin", None);
    let (late, young) = (queue::message(1, &shop, 100), queue::message(2, &shop, 100));
    let young = crate::store::outbox::QueuedMessage { expires_at: at(900_000), ..young };
    store.insert_messages(&[late, young]).await.unwrap();
    let claimed = super::claim(store, &shop, queue::LEASE, at(101), at(140), 9).await;
    let ids: Vec<Uuid> = claimed.iter().map(|row| row.id).collect();
    store.release(queue::LEASE, &ids, at(400_000)).await.unwrap();
    store.pass_time(&mark(130, 50), between).await.unwrap();
    let off = Mark { boot: "b".into(), ..mark(200_000, 5) };
    let passage = store.pass_time(&off, between).await.unwrap().unwrap();
    assert_eq!(passage, Elapsed { jump: SignedDuration::ZERO, passed: SignedDuration::from_secs(199_870) });
    let find = async |number| store.message("demo", Uuid::from_u128(number)).await.unwrap().unwrap();
    let (late, young) = (find(1).await, find(2).await);
    assert_eq!((late.next_at, late.expires_at), (Some(at(200_000)), at(200_000) + GRACE));
    assert_eq!((young.next_at, young.expires_at), (Some(at(400_000)), at(900_000)), "it still has time");
    // The extra time is not given twice.
    store.pass_time(&Mark { boot: "b".into(), ..mark(200_030, 35) }, between).await.unwrap();
    assert_eq!(find(1).await.expires_at, at(200_000) + GRACE);
}
