//! Costs that must not depend on the amount of data: counted in rows and pages, and measured as waits for the writer.

use app::session::AccountId;
use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::store::{
    aggregates::*,
    outbox::{Lane, Queue},
};

fn account() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// This many messages, deferred until an hour later.
async fn deferred(store: &SqliteStore, count: u32) {
    sqlx::query(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
         INSERT INTO message (id, portal, account, lane, request_hash, message_id, subject, size, recipients, state, cause,
             created_at, updated_at, expires_at, next_at)
         SELECT printf('00000000-0000-7000-8000-%012x', n), 'demo', 'martin', ?2, x'01', 'm', 's', 1, '[]', 'deferred',
             'timeout', ?3, ?3, ?3 + 90000000, ?3 + 3600000 + n FROM number",
    )
    .bind(count)
    .bind(Lane { account: account(), user: None }.key())
    .bind(at(0).as_millisecond())
    .execute(&store.writer)
    .await
    .unwrap();
}

/// How many rows were written since the store was opened, including those of triggers.
async fn written(store: &SqliteStore) -> i64 {
    sqlx::query_scalar("SELECT total_changes()").fetch_one(&store.writer).await.unwrap()
}

#[tokio::test]
async fn waking_and_putting_off_write_a_row_or_two_however_much_waits() {
    let store = SqliteStore::in_memory().await.unwrap();
    deferred(&store, 50_000).await;
    let queue = Queue { lane: Lane { account: account(), user: None }, fallback: false };
    let before = written(&store).await;
    store.rest_lane(&queue, at(900), Some(app::diagnosis::cause::Cause::Timeout)).await.unwrap();
    assert!(written(&store).await - before <= 2, "the lane, and the bound of its destination");
    // A profile that is saved repeatedly.
    for second in 1..=100 {
        let (before, began) = (written(&store).await, std::time::Instant::now());
        assert_eq!(store.wake(&queue.lane.account, at(second)).await.unwrap(), 1);
        assert!(written(&store).await - before <= 2);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    // All messages are due, and are claimed in portions, none of which reads all the others.
    for portion in 0..20 {
        let (before, began) = (written(&store).await, std::time::Instant::now());
        let rows = crate::store::contract::claim(&store, &queue.lane, "one", at(200), at(230), 16).await;
        assert_eq!(rows.len(), 16, "portion {portion}");
        assert!(written(&store).await - before <= 16 * 3 + 4, "for each message a row and two state counts");
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        store.release("one", &ids, at(9_000)).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// Old messages, with an attempt each, in the order in which they were finished; their keys are scattered.
async fn finished(store: &SqliteStore, count: u32) {
    for sql in [
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
         INSERT INTO message (id, portal, account, lane, idempotency_key, request_hash, message_id, subject, size, recipients,
             state, profile, created_at, updated_at, expires_at, finished_at)
         SELECT printf('%08x-0000-7000-8000-000000000000', n), 'demo', 'a' || (n % 500), 'demo' || char(31) || 'a' || (n % 500),
             hex(randomblob(8)), randomblob(32), hex(randomblob(16)), 'Votre devis', 3000, '[]', 'accepted',
             'p' || (n % 500), n, n, n, n FROM number",
        "INSERT INTO attempt (message, number, content) SELECT id, 1, hex(randomblob(100)) FROM message LIMIT ?1",
    ] {
        sqlx::query(sql).bind(count).execute(&store.writer).await.unwrap();
    }
    // The store moves the log in the background too, and only one connection may do so at a time: the other one finds
    // it busy.
    loop {
        let (busy, ..): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&store.writer).await.unwrap();
        if busy == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_purge_holds_the_writer_for_a_moment_and_leaves_others_no_checkpoint() {
    let folder = disk_faults::Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    finished(&store, 20_000).await;
    // A request for the writer waits while another one holds it.
    let over = tokio_util::sync::CancellationToken::new();
    let waits = tokio::spawn({
        let (writer, over) = (store.writer.clone(), over.clone());
        async move {
            let mut waits = Vec::new();
            while !over.is_cancelled() {
                let began = std::time::Instant::now();
                drop(writer.acquire().await.unwrap());
                waits.push(began.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            waits
        }
    });
    let mut most = 0;
    for _ in 0..200 {
        assert_eq!(store.purge(at(0), at(0), 10).await.unwrap(), 10);
        // The columns: busy, pages in the log, pages moved into the file.
        let (_, log, moved): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&store.writer).await.unwrap();
        most = most.max(log);
        assert_eq!(log, moved);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    over.cancel();
    let mut waits = waits.await.unwrap();
    waits.sort();
    let (median, p99, worst) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100], waits[waits.len() - 1]);
    eprintln!("the writer was held: median {median:?}, p99 {p99:?}, worst {worst:?}; pages in the log: {most}");
    // At 1,000 pages the next commit would have to move them, and every writer would wait for it.
    assert!(most < 500, "{most} pages");
    assert!(median < Duration::from_millis(50), "{median:?}");
    store.close().await;
}
