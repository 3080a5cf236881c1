//! What the contract does not cover: the file, its migrations, and which queries use an index.

use app::{profile::model::ProfileId, sending_mode::model::SendingMode, session::AccountId};
use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::store::{ProfileRow, aggregates::*};

mod plans;

#[tokio::test]
async fn it_keeps_the_contract() {
    crate::store::contract::all(async || SqliteStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn damaged_rows_are_set_aside() {
    let store = SqliteStore::in_memory().await.unwrap();
    crate::store::contract::quarantine::damaged_rows_are_set_aside_once(&store, async |sql| {
        sqlx::query(sql).execute(store.raw()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_database_in_memory_outlives_a_dropped_future() {
    let store = SqliteStore::in_memory().await.unwrap();
    for _ in 0..100 {
        // Polled once, and dropped while the statement runs.
        let _ = futures::FutureExt::now_or_never(store.canary());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(store.canary().await.unwrap(), None, "the tables are there");
}

#[tokio::test]
async fn a_file_is_opened_again_with_everything_in_it() {
    let path = std::env::temp_dir().join(format!("{}.db", uuid::Uuid::new_v4()));
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let store = SqliteStore::open(&path).await.unwrap();
    store.set_sending_mode(&account, SendingMode::OwnSmtp, None, &crate::store::contract::entry(1, 0)).await.unwrap();
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let pragma = async |name: &'static str| {
        sqlx::query_scalar::<_, String>(name).fetch_one(&store.pool).await.unwrap_or_default()
    };
    assert_eq!(pragma("PRAGMA journal_mode").await, "wal");
    let number = async |name: &'static str| sqlx::query_scalar::<_, i64>(name).fetch_one(&store.pool).await.unwrap();
    assert_eq!(number("PRAGMA synchronous").await, 2, "every commit reaches the disk");
    assert_eq!(number("PRAGMA secure_delete").await, 1, "deleted content is overwritten");
    store.close().await;
    let again = SqliteStore::open(&path).await.unwrap();
    assert_eq!(again.sending_mode(&account).await.unwrap(), Some(SendingMode::OwnSmtp));
    again.close().await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

/// No writer has to do it.
#[tokio::test]
async fn the_log_is_moved_into_the_file_in_the_background() {
    let folder = disk_faults::Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    for second in 0..20 {
        // A heartbeat changes 32 pages.
        store.heartbeat(Timestamp::from_second(second).unwrap()).await.unwrap();
    }
    let mut left = i64::MAX;
    for _ in 0..100 {
        let (_, log, moved): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(NOOP)").fetch_one(&store.pool).await.unwrap();
        left = log - moved;
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(left, 0, "pages that are still only in the log");
    store.close().await;
}

#[tokio::test]
async fn a_save_touches_its_own_profile_only() {
    use crate::store::{Change, contract};
    let store = SqliteStore::in_memory().await.unwrap();
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let row = |number| ProfileRow { id: ProfileId(Uuid::from_u128(number)), ..contract::row(1, None) };
    for number in 1..=3 {
        let made = store.insert_profile(&account, &row(number), 9, &contract::entry(number, 0)).await.unwrap();
        assert!(made.is_some());
    }
    sqlx::raw_sql(
        "CREATE TABLE touched (id TEXT);
         CREATE TRIGGER profile_touched AFTER UPDATE ON profile BEGIN INSERT INTO touched VALUES (NEW.id); END;",
    )
    .execute(store.raw())
    .await
    .unwrap();
    for number in [1, 2] {
        let mut decide = |before: &ProfileRow| {
            let mut after = before.clone();
            after.settings.sender_name = "Devis".to_owned();
            Change::Edit(Box::new(after), contract::entry(number + 10, 0))
        };
        assert!(store.change_profile(&account, row(number).id, &mut decide).await.unwrap());
        let touched: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT id FROM touched").fetch_all(store.raw()).await.unwrap();
        assert_eq!(touched, [row(number).id.to_string()], "only this row, in use or not");
        sqlx::query("DELETE FROM touched").execute(store.raw()).await.unwrap();
    }
}

/// A message as SQL, for states that no method makes.
fn waiting(id: &str, lane: &str, fallback: u8, at: i64) -> String {
    format!(
        "INSERT INTO message (id, portal, account, lane, request_hash, message_id, subject, size, recipients, state,
             fallback, created_at, updated_at, expires_at, next_at)
         VALUES ('{id}', 'demo', '{lane}', 'demo\u{1f}{lane}', x'01', 'm', 's', 1, '[]', 'deferred', {fallback}, {at}, {at},
             900000, {at})"
    )
}

#[tokio::test]
async fn messages_of_an_earlier_version_stand_in_lanes() {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    migrator_to(7).run(&pool).await.unwrap();
    for (number, (lane, fallback, at)) in
        [("a", 0, 2_000), ("a", 0, 1_000), ("a", 1, 3_000), ("b", 0, 9_000)].iter().enumerate()
    {
        let sql = waiting(&format!("00000000-0000-7000-8000-00000000000{number}"), lane, *fallback, *at);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    migrator().run(&pool).await.unwrap();
    let store = SqliteStore { pool: pool.clone(), writer: pool, outcomes: Arc::default(), keeper: None };
    let at = |second| Timestamp::from_second(second).unwrap();
    assert_eq!(store.due_lanes("", at(0), 9).await.unwrap(), []);
    let lanes = store.due_lanes("", at(3), 9).await.unwrap();
    let found: Vec<_> = lanes.iter().map(|queue| (queue.lane.account.account.as_str(), queue.fallback)).collect();
    assert_eq!(found, [("a", false), ("a", true)]);
    let metrics = store.queue_metrics(at(3)).await.unwrap();
    assert_eq!((metrics.deferred, metrics.queued, metrics.oldest), (4, 0, Some(at(1))));
}

#[tokio::test]
async fn what_waits_and_what_is_over_is_found_by_an_index() {
    let store = SqliteStore::in_memory().await.unwrap();
    for (sql, index) in [
        (
            "SELECT id FROM message WHERE finished_at < 9 AND finished_at IS NOT NULL AND has_content = 1",
            "message_unsent",
        ),
        ("SELECT id FROM message WHERE finished_at < 9 AND finished_at IS NOT NULL", "message_finished"),
        ("SELECT min(created_at) FROM message WHERE state IN ('queued', 'deferred')", "message_oldest"),
        ("SELECT destination FROM destination WHERE due_at <= 9 AND due_at >= 1 ORDER BY due_at", "destination_due"),
        ("SELECT lane FROM lane WHERE destination = 'd' AND due_at <= 9 ORDER BY due_at", "lane_due"),
        ("SELECT count(*) FROM destination WHERE rests_until > 9 AND rests_until > 0", "destination_resting"),
        ("SELECT destination FROM destination WHERE next_at IS NULL AND rests_until < 9", "destination_idle"),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&store.pool)
                .await
                .unwrap();
        assert!(plan.iter().any(|(.., step)| step.contains("SEARCH") && step.contains(index)), "{sql}: {plan:?}");
    }
}

/// For any number of messages in back-off, each lane has one count.
#[tokio::test]
async fn messages_that_wait_for_a_rest_are_counted_without_a_look_at_them() {
    let store = SqliteStore::in_memory().await.unwrap();
    for (sql, index) in [
        (super::maintenance::HELD_BY_DESTINATIONS, "destination_resting"),
        (super::maintenance::HELD_BY_LANES, "lane_resting"),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.replace("?1", "9"))))
                .fetch_all(&store.pool)
                .await
                .unwrap();
        assert!(plan.iter().any(|(.., step)| step.contains("SEARCH") && step.contains(index)), "{sql}: {plan:?}");
        assert!(plan.iter().all(|(.., step)| !step.contains("SCAN") && !step.contains("message")), "{sql}: {plan:?}");
    }
}

/// The statements as the store sends them.
#[tokio::test]
async fn the_sweep_of_an_opening_reads_what_it_deletes_and_no_more() {
    let store = SqliteStore::in_memory().await.unwrap();
    for (sql, index) in [
        (sessions::SWEEP_SESSIONS, "session_by_expiry"),
        (sessions::SWEEP_TOKENS, "used_token_by_expiry"),
        (journal::SWEEP, "journal_by_age"),
        (drafts::SWEEP, "draft_by_age"),
        (logins::SWEEP, "login_by_key"),
        (sign_ins::SWEEP, "sign_in_by_expiry"),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.replace('?', "9"))))
                .fetch_all(&store.pool)
                .await
                .unwrap();
        assert!(plan.iter().any(|(.., step)| step.contains("SEARCH") && step.contains(index)), "{sql}: {plan:?}");
        // A subquery has at most as many rows as its LIMIT says.
        let of_a_table = |step: &str| {
            step.starts_with("SCAN")
                && !["start", "looked_at", "(subquery", "CONSTANT"].iter().any(|name| step.contains(name))
        };
        assert!(!plan.iter().any(|(.., step)| of_a_table(step)), "{sql}: {plan:?}");
        assert!(sql.contains("LIMIT"), "{sql}");
    }
}

#[tokio::test]
async fn a_damaged_grant_is_named_with_its_column() {
    use crate::store::contract;
    let store = SqliteStore::in_memory().await.unwrap();
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let row = contract::grants::with_grant(1);
    store.insert_profile(&account, &row, 9, &contract::entry(1, 0)).await.unwrap().unwrap();
    for (column, damage, repair) in [
        ("grant_id", "'?'", "'00000000-0000-0000-0000-000000000001'"),
        ("grant_client", "NULL", "'microsoft'"),
        ("grant_identity", "NULL", "'claire@exemple.fr'"),
        ("granted_at", "NULL", "1800000000000"),
        ("grant_cause", "'?'", "'oauth_reconnect'"),
        ("grant_code", "NULL", "'invalid_grant'"),
    ] {
        let set = async |value: &str| {
            let sql = format!("UPDATE profile SET {column} = {value}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(store.raw()).await.unwrap();
        };
        set(damage).await;
        let error = store.profile(&account, row.id).await.unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "profile", column: named, .. } if named == column));
        set(repair).await;
        assert!(store.profile(&account, row.id).await.is_ok() || column == "grant_cause", "{column}");
    }
    let ended = store.profile(&account, row.id).await.unwrap().unwrap().grant.and_then(|grant| grant.ended);
    assert_eq!(ended.map(|end| end.code).as_deref(), Some("invalid_grant"));
}
