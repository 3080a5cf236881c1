//! What costs the same however much there is: counted in rows, or measured beside others who write.

use super::*;
use crate::store::outbox::{Lane, OutboxStore, Queue};

fn account() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// So many messages that were deferred until an hour later.
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

/// How many rows were written since the store was opened, those of triggers included.
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
    // A profile that is saved again and again.
    for second in 1..=100 {
        let (before, began) = (written(&store).await, std::time::Instant::now());
        assert_eq!(store.wake(&queue.lane.account, at(second)).await.unwrap(), 1);
        assert!(written(&store).await - before <= 2);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    // All of it is due, and is served in portions, none of which looks at all the rest.
    for portion in 0..20 {
        let (before, began) = (written(&store).await, std::time::Instant::now());
        let rows = store.claim((&queue.lane, false), "one", at(200), at(230), 16).await.unwrap();
        assert_eq!(rows.len(), 16, "portion {portion}");
        assert!(written(&store).await - before <= 16 * 3 + 4, "a row, and two counts of states, each");
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        store.release("one", &ids, at(9_000)).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}
