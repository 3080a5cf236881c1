//! Appended outcomes are neither lost, nor written twice, nor seen late.

use jiff::Timestamp;

use super::*;
use crate::store::{
    aggregates::*,
    contract::{
        claim,
        queue::{LEASE, commit_mark, lane, message, settlement},
    },
    one_writer::{Batch, OneWriter},
    outbox::{MessageState, Settled},
    sqlite::disk_faults::Folder,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// This many messages, claimed.
async fn claimed(store: &SqliteStore, count: u128) {
    let shop = lane("martin", None);
    let messages: Vec<_> = (1..=count).map(|number| message(number, &shop, 1)).collect();
    store.insert_messages(&messages).await.unwrap();
    let rows = claim(store, &shop, LEASE, at(2), at(32), u32::try_from(count).unwrap()).await;
    assert_eq!(rows.len(), usize::try_from(count).unwrap());
}

/// One message was accepted, while the end of another is about to be sent.
async fn accepted(store: &SqliteStore, number: u128, next: u128) -> Settled {
    let settled = settlement(number, &lane("martin", None), MessageState::Accepted, 3);
    let mark = commit_mark(next, LEASE, None);
    let batch = Batch { settlements: vec![&settled], marks: vec![&mark], marked_at: at(3), ..Batch::default() };
    let written = store.write(&batch).await.unwrap();
    assert_eq!(written.marked, [true]);
    written.settled[0]
}

/// The state in the row itself.
async fn state(store: &SqliteStore, number: u128) -> String {
    let state = sqlx::query_scalar("SELECT state FROM message WHERE id = ?").bind(id(number).to_string());
    state.fetch_one(&store.pool).await.unwrap()
}

async fn appended(store: &SqliteStore) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outcome").fetch_one(&store.pool).await.unwrap()
}

#[tokio::test]
async fn whoever_looks_at_a_message_sees_what_became_of_it() {
    let store = SqliteStore::in_memory().await.unwrap();
    claimed(&store, 4).await;
    assert!(accepted(&store, 1, 2).await.done);
    assert_eq!((state(&store, 1).await.as_str(), appended(&store).await), ("sending", 1));
    assert_eq!(store.message("demo", id(1)).await.unwrap().unwrap().state, MessageState::Accepted);
    assert_eq!(store.attempts(id(1)).await.unwrap().len(), 1);
    assert!(store.contents_of(&[id(1)]).await.unwrap().is_empty());
    assert_eq!(appended(&store).await, 0);

    accepted(&store, 2, 3).await;
    assert_eq!(store.attempts(id(2)).await.unwrap().len(), 1);
    accepted(&store, 3, 4).await;
    let shop = lane("martin", None).account;
    let listed = store.messages(&shop, Some(MessageState::Accepted), None, 10).await.unwrap();
    assert_eq!(listed.len(), 3);
}

#[tokio::test]
async fn they_are_moved_by_themselves_soon() {
    let store = SqliteStore::in_memory().await.unwrap();
    claimed(&store, 2).await;
    accepted(&store, 1, 2).await;
    let began = std::time::Instant::now();
    while state(&store, 1).await != "accepted" {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!store.outcomes.contains(id(1)));
}

#[tokio::test]
async fn many_are_moved_at_once() {
    let store = SqliteStore::in_memory().await.unwrap();
    let count = MANY as u128;
    claimed(&store, count + 1).await;
    let lane = lane("martin", None);
    let settled: Vec<_> = (1..=count).map(|number| settlement(number, &lane, MessageState::Accepted, 3)).collect();
    let mark = commit_mark(count + 1, LEASE, None);
    let batch =
        Batch { settlements: settled.iter().collect(), marks: vec![&mark], marked_at: at(3), ..Batch::default() };
    let began = std::time::Instant::now();
    store.write(&batch).await.unwrap();
    // The next writer queues behind them.
    drop(store.writer.acquire().await.unwrap());
    while appended(&store).await > 0 {
        assert!(began.elapsed() < SOON, "the move must not wait");
        tokio::task::yield_now().await;
    }
    assert_eq!(state(&store, 1).await, "accepted");
}

#[tokio::test]
async fn a_message_has_one_outcome() {
    let store = SqliteStore::in_memory().await.unwrap();
    claimed(&store, 2).await;
    accepted(&store, 1, 2).await;
    // Another process does this when the lease has ended.
    let late = settlement(1, &lane("martin", None), MessageState::DeliveryUnknown, 4);
    assert!(!store.settle(&[late]).await.unwrap()[0].done);
    store.release(LEASE, &[id(1)], at(5)).await.unwrap();
    assert!(!accepted(&store, 1, 2).await.done);
    assert_eq!(store.message("demo", id(1)).await.unwrap().unwrap().state, MessageState::Accepted);
    assert_eq!(store.attempts(id(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_behind_is_moved_when_the_file_is_opened() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    claimed(&store, 2).await;
    accepted(&store, 1, 2).await;
    // After a crash: the process that knew of it is gone.
    *store.outcomes.appended() = Appended::default();
    assert_eq!(appended(&store).await, 1);
    let again = SqliteStore::open(&folder.database()).await.unwrap();
    assert_eq!((state(&again, 1).await.as_str(), state(&again, 2).await.as_str()), ("accepted", "sending"));
    assert_eq!(appended(&again).await, 0);
    again.close().await;
    store.close().await;
}

#[tokio::test]
async fn one_that_cannot_be_moved_stands_in_nobody_s_way() {
    let store = SqliteStore::in_memory().await.unwrap();
    claimed(&store, 3).await;
    // An attempt of a message that does not exist.
    let damaged = "INSERT INTO outcome (message, recipients, fallback, tries, at, forgets, attempt)
        VALUES ('gone', '[]', 0, 1, 1, 1, '{}')";
    sqlx::query(damaged).execute(&store.writer).await.unwrap();
    accepted(&store, 1, 2).await;
    assert_eq!(store.message("demo", id(1)).await.unwrap().unwrap().state, MessageState::Accepted);
    assert_eq!(appended(&store).await, 0);
}

#[tokio::test]
async fn what_is_not_an_acceptance_is_written_at_once() {
    let store = SqliteStore::in_memory().await.unwrap();
    claimed(&store, 2).await;
    let failed = settlement(1, &lane("martin", None), MessageState::Failed, 3);
    let mark = commit_mark(2, LEASE, None);
    let batch = Batch { settlements: vec![&failed], marks: vec![&mark], marked_at: at(3), ..Batch::default() };
    store.write(&batch).await.unwrap();
    assert_eq!((state(&store, 1).await.as_str(), appended(&store).await), ("failed", 0));
}
