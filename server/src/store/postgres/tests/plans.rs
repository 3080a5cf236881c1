//! The plans of the statements as the store sends them, those of triggers included: the server logs them (auto_explain). With
//! sequential scans switched off, there is one only where no index will do.

use super::*;
use crate::store::outbox::{Assignment, MessageState};

/// Tables that grow.
const LARGE: [&str; 14] = [
    "message",
    "content",
    "attempt",
    "event",
    "lane",
    "destination",
    "profile",
    "test_run",
    "session",
    "used_token",
    "journal",
    "draft",
    "login",
    "account",
];

/// A store whose plans are logged, with so much in it that the planner has a choice.
async fn explained() -> Option<(PostgresStore, String)> {
    let options = cluster::database(cluster::TEMPLATE).await?;
    let name = options.get_database().unwrap().to_owned();
    let options = options.options([
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_nested_statements", "on"),
        ("enable_seqscan", "off"),
    ]);
    let store = PostgresStore::open(options, 2).await.unwrap();
    sqlx::raw_sql(
        "SET auto_explain.log_min_duration = -1;
         INSERT INTO message (id, portal, account, lane, idempotency_key, request_hash, message_id, subject, size, recipients,
             state, profile, created_at, updated_at, expires_at, next_at, finished_at)
         SELECT lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000', 'demo', 'a' || n % 500,
             'demo' || E'\\x1f' || 'a' || n % 500 || E'\\x1f', 'k' || n, '\\x01', 'm', 's', 1, '[]',
             CASE WHEN n % 4 = 0 THEN 'queued' ELSE 'accepted' END, 'p' || n % 500, n, n, 9000000000000 + n,
             CASE WHEN n % 4 = 0 THEN n END, CASE WHEN n % 4 <> 0 THEN n END
         FROM generate_series(1, 8000) AS n;
         INSERT INTO content (message, sealed) SELECT id, '\\x01' FROM message;
         INSERT INTO attempt (message, number, content) SELECT id, 1, '{\"at\":\"2027-01-15T08:00:00Z\",\"duration_ms\":5,\"via\":null,
             \"profile\":null,\"outcome\":\"accepted\",\"stage\":null,\"cause\":null,\"reply\":null,\"queue_id\":null}'
             FROM message;
         INSERT INTO event (id, portal, content, created_at, next_at)
             SELECT id, 'p' || length(id) % 7, '{}', created_at, 9000000000000 FROM message;
         INSERT INTO destination (destination, next_at) SELECT 'd' || n, 9000000000000 FROM generate_series(1, 2000) AS n;
         UPDATE lane SET destination = 'd' || length(lane) WHERE account LIKE '%7';
         INSERT INTO session (key, content, expires_at, ends_at) SELECT sha256(n::text::bytea),
             '{\"account\":{\"portal\":\"demo\",\"account\":\"a' || n || '\"}}', 9000000000000, 9000000000000
             FROM generate_series(1, 3000) AS n;
         INSERT INTO used_token (portal, jti, expires_at) SELECT 'demo', sha256(n::text::bytea), 9000000000000
             FROM generate_series(1, 3000) AS n;
         INSERT INTO journal (id, portal, account, at, person, content)
             SELECT id, portal, account, 9000000000000, 'p', '{}' FROM message;
         INSERT INTO draft (portal, account, person, form, content, kept_at)
             SELECT 'demo', 'a' || n, 'p', 'f', '{}', 9000000000000 FROM generate_series(1, 3000) AS n;
         INSERT INTO login (id, key, at) SELECT n::text, sha256(n::text::bytea), 1 FROM generate_series(1, 3000) AS n;
         INSERT INTO account (portal, account, sending_mode) SELECT 'demo', 'a' || n, 'own_smtp' FROM generate_series(1, 3000) AS n;
         INSERT INTO profile (id, portal, account, host, port, security, login, sender_name, sender_address, encoding, in_use,
             login_key)
         SELECT lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000001', 'demo', 'a' || n, 'h', 465, 'tls', 'l', 's', 'a@b.example',
             'UTF-8', TRUE, sha256(n::text::bytea) FROM generate_series(1, 3000) AS n;
         ANALYZE",
    )
    .execute(&store.pool)
    .await
    .unwrap();
    // Connections with the setting as it was.
    store.close().await;
    Some((PostgresStore::open((*store.pool.connect_options()).clone(), 2).await.unwrap(), name))
}

/// What a portal, a page, a worker and the maintenance ask for.
async fn everything_hot(store: &PostgresStore) {
    let given = QueuedMessage { idempotency_key: Some("new".to_owned()), ..message("a7", 1) };
    store.insert_messages(std::slice::from_ref(&given)).await.unwrap();
    store.message_by_key("demo", "k5", &[1; 32]).await.unwrap();
    store.message("demo", given.id).await.unwrap();
    store.content(given.id).await.unwrap();
    for state in [None, Some(MessageState::Accepted), Some(MessageState::Deferred)] {
        store.messages(&account("a7"), state, Some(given.id), 50).await.unwrap();
    }
    store.due_destinations(at(2), None, 50).await.unwrap();
    store.due_lanes("", at(2), 50).await.unwrap();
    store.assign(&[Assignment { queue: queue("a7"), destination: "d9".to_owned() }]).await.unwrap();
    let claimed = store.claim_through(&[claim("a7", Some("d9"), "1", 2)]).await.unwrap();
    let ids: Vec<_> = claimed[0].messages.iter().map(|row| row.id).collect();
    assert!(!ids.is_empty());
    store.prolong(&["1".to_owned()], at(40)).await.unwrap();
    let marks: Vec<_> = ids
        .iter()
        .map(|id| crate::store::outbox::CommitMark { id: *id, lease_token: "1".to_owned(), to: None })
        .collect();
    store.mark_commit(&marks, at(3)).await.unwrap();
    let settled = settlement(ids[0], "a7", "1", MessageState::Accepted, 3);
    store.settle(&[settled]).await.unwrap();
    store.release("1", &ids[1..], at(5)).await.unwrap();
    store.rest_lane(&queue("a7"), at(9), None).await.unwrap();
    store.wake(&account("a7"), at(4)).await.unwrap();
    store.abandoned(at(100), 50).await.unwrap();
    store.overdue(at(4), 50).await.unwrap();
    store.due_events("p1", at(4), 50).await.unwrap();
    store.queue_metrics(at(4)).await.unwrap();
    store.sent_since(ProfileId(Uuid::nil()), at(0)).await.unwrap();
    store.profiles(&account("a7"), None, 50).await.unwrap();
    store.profile_in_use(&account("a7"), None).await.unwrap();
    store.profiles_with_failures(&account("a7"), None, 50).await.unwrap();
    store.profiles_to_check(at(4), 50).await.unwrap();
    store.sending_mode(&account("a7")).await.unwrap();
    store.journal(&account("a7"), None, 50).await.unwrap();
    store.use_token("demo", &[1; 32], at(9)).await.unwrap();
    store.end_sessions(&account("a7"), None, at(4), &contract::entry(1, 4)).await.unwrap();
    let login = LoginClaim { id: Uuid::nil(), key: [1; 32], now: at(4), until: at(5), again_after: None };
    store.claim_logins(&[login], &admit).await.unwrap();
    store.sweep(at(4), at(0)).await.unwrap();
    store.purge(Timestamp::from_millisecond(50).unwrap(), Timestamp::from_millisecond(50).unwrap(), 10).await.unwrap();
}

#[tokio::test]
async fn what_is_asked_often_is_found_by_an_index() {
    let Some((store, database)) = explained().await else { return };
    everything_hot(&store).await;
    let log = cluster::log(&database).await;
    let plans: Vec<_> = log.split(&format!("{database}|")).filter(|entry| entry.contains("plan:")).collect();
    assert!(plans.len() > 60, "{} plans", plans.len());
    let mut used = HashSet::new();
    for plan in &plans {
        for line in plan.lines() {
            for table in LARGE {
                assert!(!line.contains(&format!("Seq Scan on {table} ")), "{plan}");
            }
            let index = line.split(" using ").nth(1).or_else(|| line.split("Bitmap Index Scan on ").nth(1));
            used.extend(index.and_then(|rest| rest.split(' ').next()));
        }
    }
    for index in [
        "message_waiting",
        "message_by_key",
        "message_by_account",
        "message_pkey",
        "message_oldest",
        "message_expiry",
        "message_leased",
        "message_finished",
        "message_unsent",
        "message_through",
        "content_pkey",
        "attempt_pkey",
        "event_waiting",
        "event_by_age",
        "lane_due",
        "lane_by_account",
        "destination_due",
        "destination_resting",
        "profile_by_account",
        "profile_by_login",
        "profile_to_check",
        "session_by_expiry",
        "session_by_account",
        "used_token_by_expiry",
        "journal_by_account",
        "journal_by_age",
        "draft_by_age",
        "login_by_key",
    ] {
        assert!(used.contains(index), "{index} is not used: {used:?}");
    }
}
