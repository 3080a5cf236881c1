//! What PostgreSQL does besides the contract: several processes on one database, each with a store of its own.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use app::{profile::model::ProfileId, session::AccountId};
use futures::future::join_all;
use jiff::Timestamp;
use model::login::{Admission, LEASE, admit};
use sqlx::Row;
use uuid::Uuid;

use super::{cluster, *};
use crate::store::{
    Change, LoginClaim, ProfileRow,
    aggregates::*,
    contract,
    outbox::{
        Assignment, Claim, Inserted, Lane, MessageState, MessageStatus, Precondition, Queue, QueuedMessage,
        ResendOutcome, Rest, Settlement,
    },
    sqlite::SqliteStore,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account(name: &str) -> AccountId {
    AccountId { portal: "demo".to_owned(), account: name.to_owned() }
}

fn lane(name: &str) -> Lane {
    Lane { account: account(name), user: None }
}

fn queue(name: &str) -> Queue {
    Queue { lane: lane(name), fallback: false }
}

fn message(name: &str, second: i64) -> QueuedMessage {
    QueuedMessage {
        id: Uuid::new_v4(),
        lane: lane(name),
        idempotency_key: None,
        request_hash: [1; 32],
        message_id: "1@x.example".to_owned(),
        reference: None,
        subject: "Devis".to_owned(),
        size: 12,
        recipients: vec![],
        at: at(second),
        expires_at: at(second + 1_000),
        sealed: vec![9; 12],
    }
}

fn claim(name: &str, destination: Option<&str>, token: &str, second: i64) -> Claim {
    Claim {
        queue: queue(name),
        destination: destination.map(str::to_owned),
        lease_token: token.to_owned(),
        now: at(second),
        until: at(second + 30),
        limit: 5,
    }
}

fn settlement(id: Uuid, name: &str, token: &str, state: MessageState, second: i64) -> Settlement {
    Settlement {
        id,
        lane: lane(name),
        precondition: Precondition::Lease(token.to_owned()),
        at: at(second),
        attempt: None,
        counts: true,
        status: MessageStatus { reply: Some("250 \0 ok".to_owned()), ..MessageStatus::new(state) },
        recipients: vec![],
        content_done: state == MessageState::Accepted,
        next_at: (!state.is_final()).then(|| at(second + 60)),
        fallback: false,
        health: None,
        event: None,
        transition_event: None,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let Some(_) = cluster::store().await else { return };
    contract::all(async || cluster::store().await.unwrap()).await;
}

#[tokio::test]
async fn what_was_refused_holds_no_lock() {
    let Some(store) = cluster::store().await else { return };
    let given = message("a", 1);
    store.insert_messages(std::slice::from_ref(&given)).await.unwrap();
    for _ in 0..100 {
        let refused = store.resend("demo", given.id, (at(2), at(3)), |_, _| Err(ResendOutcome::NotFinished)).await;
        assert_eq!(refused.unwrap(), ResendOutcome::NotFinished);
        let free: Vec<String> =
            sqlx::query_scalar("SELECT id FROM message FOR UPDATE SKIP LOCKED").fetch_all(&store.pool).await.unwrap();
        assert_eq!(free, [given.id.to_string()]);
    }
}

#[tokio::test]
async fn several_processes_may_migrate_at_once() {
    let Some(options) = cluster::database("template0").await else { return };
    let stores = join_all((0..4).map(|_| PostgresStore::open(options.clone(), 2))).await;
    for store in stores {
        store.unwrap().heartbeat(at(1)).await.unwrap();
    }
}

/// Tables and columns, except for those of the migrations themselves.
fn columns(rows: Vec<(String, String)>) -> BTreeSet<(String, String)> {
    rows.into_iter().filter(|(table, _)| !table.starts_with('_') && !table.starts_with("sqlite")).collect()
}

#[tokio::test]
async fn the_tables_are_those_of_sqlite() {
    let Some(store) = cluster::store().await else { return };
    let here =
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'";
    let here = columns(sqlx::query_as(here).fetch_all(&store.pool).await.unwrap());
    let sqlite = SqliteStore::in_memory().await.unwrap();
    // Generated columns are hidden ones for `table_info`.
    let there = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'";
    let mut there = columns(sqlx::query_as(there).fetch_all(sqlite.raw()).await.unwrap());
    assert!(there.remove(&("session".to_owned(), "refused_draft".to_owned())), "nobody reads it any more");
    assert_eq!(here, there);
}

#[tokio::test]
async fn no_message_is_claimed_twice() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let given: Vec<QueuedMessage> = (0..120).map(|number| message(NAMES[number % 3], 1)).collect();
    one.insert_messages(&given).await.unwrap();
    let claimer = async |store: &PostgresStore, token: &'static str, order: [&str; 3]| {
        let mut mine = Vec::new();
        loop {
            let claims = order.map(|name| claim(name, Some("relay"), token, 10));
            let claimed = store.claim_through(&claims).await.unwrap();
            let found: Vec<Uuid> = claimed.iter().flat_map(|one| one.messages.iter().map(|row| row.id)).collect();
            if found.is_empty() {
                return mine;
            }
            mine.extend(found);
        }
    };
    let (a, b, c, d) = tokio::join!(
        claimer(&one, "1", ["a", "b", "c"]),
        claimer(&other, "2", ["c", "b", "a"]),
        claimer(&one, "3", ["b", "a", "c"]),
        claimer(&other, "4", ["c", "a", "b"]),
    );
    let all: Vec<Uuid> = [a, b, c, d].concat();
    assert_eq!(all.len(), 120, "every message, once");
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), given.iter().map(|one| one.id).collect());
}

/// Whether every bound is as low as what waits (a lane that was looked at until `now` has its turn after that), and the tally
/// says what is there.
async fn is_sound(store: &PostgresStore, now: Timestamp) {
    const TOO_HIGH: &str = "SELECT
        (SELECT count(*) FROM message JOIN lane USING (lane, fallback) WHERE state IN ('queued', 'deferred')
             AND (lane.next_at IS NULL OR message.wakings > lane.wakings
                  OR lane.next_at > greatest(message.next_at, $1)))
        + (SELECT count(*) FROM message WHERE state IN ('queued', 'deferred')
             AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.lane = message.lane AND lane.fallback = message.fallback))
        + (SELECT count(*) FROM lane LEFT JOIN destination USING (destination) WHERE lane.due_at IS NOT NULL
             AND (destination.next_at IS NULL OR destination.next_at > lane.due_at))";
    let too_high = sqlx::query_scalar::<_, i64>(TOO_HIGH).bind(now.as_millisecond());
    assert_eq!(too_high.fetch_one(&store.pool).await.unwrap(), 0, "a bound is too high");
    for _ in 0..2 {
        let rows = sqlx::query(
            "SELECT kind, sum(amount)::bigint AS told,
                 (SELECT count(*) FROM message WHERE state = kind) AS found
             FROM tally GROUP BY kind",
        )
        .fetch_all(&store.pool)
        .await
        .unwrap();
        for row in &rows {
            let (kind, told, found): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
            assert_eq!(told, found, "{kind}");
        }
        store.sweep(at(0), at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn everything_at_once_leaves_every_bound_low_enough() {
    const ROUNDS: i64 = 12;
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let worker = async |store: &PostgresStore, token: &'static str, turn: usize| {
        for second in 0..ROUNDS {
            let mut names = NAMES;
            names.rotate_left(turn);
            if turn % 2 == 1 {
                names.reverse();
            }
            let given: Vec<QueuedMessage> = names.iter().map(|name| message(name, second)).collect();
            store.insert_messages(&given).await.unwrap();
            let server = if second % 3 == 0 { "relay" } else { "own" };
            let claims = names.map(|name| claim(name, Some(server), token, second));
            let claimed = store.claim_through(&claims).await.unwrap();
            let mut settlements = Vec::new();
            let mut back = Vec::new();
            for (name, claimed) in names.iter().zip(&claimed) {
                for (number, row) in claimed.messages.iter().enumerate() {
                    match number % 3 {
                        0 => settlements.push(settlement(row.id, name, token, MessageState::Accepted, second)),
                        1 => settlements.push(settlement(row.id, name, token, MessageState::Deferred, second)),
                        _ => back.push(row.id),
                    }
                }
            }
            store.prolong(&[token.to_owned()], at(second + 60)).await.unwrap();
            let settled = store.settle(&settlements).await.unwrap();
            assert!(settled.iter().all(|one| one.done));
            store.release(token, &back, at(second + 5)).await.unwrap();
            store.due_lanes(server, at(second), 9).await.unwrap();
            store.due_lanes("", at(second), 9).await.unwrap();
            match second % 4 {
                0 => {
                    store.wake(&account(names[0]), at(second)).await.unwrap();
                }
                1 => store.rest_lane(&queue(names[1]), at(second + 2), None).await.unwrap(),
                2 => {
                    let rest = |rest: Rest| Rest { until: at(second + 1), ..rest };
                    store.rest_destination(server, &rest).await.unwrap();
                    store.ease(&["own".to_owned(), "relay".to_owned()]).await.unwrap();
                }
                _ => {
                    let behind = names.map(|name| Assignment { queue: queue(name), destination: server.to_owned() });
                    store.assign(&behind).await.unwrap();
                    store.purge(at(second), at(second), 50).await.unwrap();
                }
            }
        }
    };
    tokio::join!(worker(&one, "1", 0), worker(&other, "2", 1), worker(&one, "3", 2), worker(&other, "4", 3));
    is_sound(&one, at(ROUNDS)).await;
    // Nothing that waits is out of reach: in the end all of it is claimed.
    let mut left: i64 = 0;
    for _ in 0..200 {
        let claims = NAMES.map(|name| Claim { limit: 50, ..claim(name, None, "last", 100_000) });
        one.claim_through(&claims).await.unwrap();
        left = sqlx::query_scalar("SELECT count(*) FROM message WHERE state IN ('queued', 'deferred')")
            .fetch_one(&one.pool)
            .await
            .unwrap();
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_key_makes_one_message_however_many_give_it_at_once() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    for round in 0..10 {
        let keyed = |number| {
            let key = Some(format!("{round}-{number}"));
            QueuedMessage { idempotency_key: key, ..message("a", 1) }
        };
        let (forth, back) = ([keyed(1), keyed(2), keyed(3)], [keyed(3), keyed(2), keyed(1)]);
        let (first, second) = tokio::join!(one.insert_messages(&forth), other.insert_messages(&back));
        let (first, mut second) = (first.unwrap(), second.unwrap());
        second.reverse();
        for (a, b) in first.into_iter().zip(second) {
            assert!(matches!(
                (a, b),
                (Inserted::New, Inserted::Known { .. }) | (Inserted::Known { .. }, Inserted::New)
            ));
        }
    }
}

#[tokio::test]
async fn an_account_has_so_many_profiles_and_one_in_use_however_many_are_made_at_once() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let martin = account("martin");
    let row = |number| ProfileRow { id: ProfileId(Uuid::from_u128(number)), ..contract::row(1, None) };
    let insert = async |store: &PostgresStore, number| {
        store.insert_profile(&martin, &row(number), 3, &contract::entry(number, 0)).await.unwrap()
    };
    let made = tokio::join!(insert(&one, 1), insert(&other, 2), insert(&one, 3), insert(&other, 4), insert(&one, 5));
    let made = [made.0, made.1, made.2, made.3, made.4];
    assert_eq!(made.iter().flatten().count(), 3, "{made:?}");
    let used = async || {
        let rows = one.profiles(&martin, None, 9).await.unwrap();
        rows.into_iter().filter(|row| row.in_use).map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(used().await.len(), 1);
    let there: Vec<ProfileId> = one.profiles(&martin, None, 9).await.unwrap().iter().map(|row| row.id).collect();
    let tell = |_: &ProfileRow| contract::entry(Uuid::new_v4().as_u128(), 0);
    for _ in 0..5 {
        let (a, b) = tokio::join!(
            one.put_in_use(&martin, there[0], None, &tell),
            other.put_in_use(&martin, there[1], None, &tell)
        );
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(used().await.len(), 1);
    }
    // Nothing is decided from a row that somebody else changes meanwhile.
    let count = async |store: &PostgresStore| {
        for _ in 0..10 {
            let mut decide = |before: &ProfileRow| {
                let mut after = before.clone();
                after.settings.sender_name = format!("{}x", before.settings.sender_name);
                Change::Edit(Box::new(after), contract::entry(Uuid::new_v4().as_u128(), 0))
            };
            assert!(store.change_profile(&martin, there[0], &mut decide).await.unwrap());
        }
    };
    let before = one.profile(&martin, there[0]).await.unwrap().unwrap();
    tokio::join!(count(&one), count(&other));
    let after = one.profile(&martin, there[0]).await.unwrap().unwrap();
    assert_eq!(after.revision, before.revision + 20);
    assert_eq!(after.settings.sender_name.len(), before.settings.sender_name.len() + 20);
}

#[tokio::test]
async fn three_logins_at_once_and_no_more_wherever_they_begin() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let claim = |store: PostgresStore| async move {
        let claim =
            LoginClaim { id: Uuid::new_v4(), key: [7; 32], now: at(1), until: at(1) + LEASE, again_after: None };
        store.claim_logins(&[claim], &admit).await.unwrap()[0]
    };
    let admitted =
        join_all((0..10).map(|number| claim(if number % 2 == 0 { one.clone() } else { other.clone() }))).await;
    assert_eq!(admitted.iter().filter(|one| **one == Admission::Granted).count(), 3, "{admitted:?}");
}

#[tokio::test]
async fn a_server_that_drops_its_connections_is_unavailable_and_then_there_again() {
    let Some(store) = cluster::store().await else { return };
    store.heartbeat(at(1)).await.unwrap();
    let other = cluster::beside(&store).await;
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let ended: i64 = sqlx::query_scalar(terminate).fetch_one(&other.pool).await.unwrap();
    assert!(ended > 0);
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        outcomes.push(store.heartbeat(at(2)).await);
    }
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Unavailable(_)))), "{outcomes:?}");
    assert!(outcomes.last().is_some_and(Result::is_ok), "{outcomes:?}");
}

#[tokio::test]
async fn a_process_that_stands_still_in_a_transaction_loses_its_locks() {
    let Some(store) = cluster::store().await else { return };
    store.insert_messages(&[message("a", 1)]).await.unwrap();
    let mut frozen = store.pool.begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL idle_in_transaction_session_timeout = '200ms'; SELECT 1 FROM lane FOR UPDATE")
        .execute(&mut *frozen)
        .await
        .unwrap();
    let other = cluster::beside(&store).await;
    let claimed = tokio::time::timeout(Duration::from_secs(30), other.claim_through(&[claim("a", None, "1", 2)])).await;
    assert_eq!(claimed.unwrap().unwrap()[0].messages.len(), 1);
    assert!(frozen.commit().await.is_err());
}

#[tokio::test]
async fn what_a_server_says_is_stored_also_with_a_nul_in_it() {
    let Some(store) = cluster::store().await else { return };
    let given = message("a", 1);
    store.insert_messages(std::slice::from_ref(&given)).await.unwrap();
    store.claim_through(&[claim("a", None, "1", 2)]).await.unwrap();
    let settled = store.settle(&[settlement(given.id, "a", "1", MessageState::Accepted, 3)]).await.unwrap();
    assert!(settled[0].done);
    let stored = store.message("demo", given.id).await.unwrap().unwrap();
    assert_eq!(stored.reply.as_deref(), Some("250 \u{fffd} ok"));
}

#[tokio::test]
async fn what_the_database_rejects_is_not_the_database_being_away() {
    let Some(store) = cluster::store().await else { return };
    for (sql, about_a_row) in [
        ("INSERT INTO canary (id, sealed) VALUES (1, ''), (1, '')", true),
        ("SELECT 9223372036854775807 + 1", true),
        ("SELECT convert_from('\\x00', 'UTF8')", true),
        ("SELECT pg_terminate_backend(pg_backend_pid())", false),
        ("SELECT * FROM nothing", false),
    ] {
        let error = StoreError::from(sqlx::query(sql).execute(&store.pool).await.unwrap_err());
        assert_eq!(error.is_about_a_row(), about_a_row, "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn the_server_s_certificate_is_checked() {
    let Some((url, authority)) = cluster::over_tls().await else { return };
    let open = async |query: String| PostgresStore::open(options(&format!("{url}?{query}")).unwrap(), 2).await;
    let store = open(format!("sslmode=verify-full&sslrootcert={}", authority.display())).await.unwrap();
    let encrypted: bool = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert!(encrypted);
    let unknown = open("sslmode=verify-full".to_owned()).await.err().unwrap();
    assert!(matches!(unknown, StoreError::Unavailable(sqlx::Error::Tls(_) | sqlx::Error::Io(_))), "{unknown:?}");
}

#[test]
fn a_url_that_cannot_be_used_is_refused_without_being_shown() {
    for url in [
        "mysql://u:geheim@h/d",
        "postgres://u:geheim@h:99999/d",
        "postgres://u:geheim@h/d?sslmode=perhaps",
        "postgres://u@h/d?pasword=geheim",
        "facteur.db",
    ] {
        let problem = options(url).unwrap_err();
        assert!(!problem.contains("geheim"), "{problem}");
    }
    let good = options("postgres://facteur@db.example/mail?sslmode=verify-full&sslrootcert=/etc/ca.pem").unwrap();
    assert_eq!((good.get_host(), good.get_port(), good.get_database()), ("db.example", 5432, Some("mail")));
    assert!(matches!(good.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
}
