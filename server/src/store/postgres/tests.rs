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
        ResendOutcome, ResendTimes, Rest, Settlement,
    },
    sqlite::SqliteStore,
};

mod at_once;
mod connection;
mod grants;
mod plans;
mod replicas;

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
async fn damaged_rows_are_set_aside() {
    let Some(store) = cluster::store().await else { return };
    contract::quarantine::damaged_rows_are_set_aside_once(&store, async |sql| {
        sqlx::query(sql).execute(&store.pool).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_holds_no_lock() {
    let Some(store) = cluster::store().await else { return };
    let given = message("a", 1);
    store.insert_messages(std::slice::from_ref(&given)).await.unwrap();
    for _ in 0..100 {
        let refused = store
            .resend("demo", given.id, ResendTimes { now: at(2), expires_at: at(3) }, |_, _| {
                Err(ResendOutcome::NotFinished)
            })
            .await;
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

/// Tables that only several processes need.
const SHARED: [&str; 4] = ["machine", "place", "rate", "replica"];

#[tokio::test]
async fn the_tables_are_those_of_sqlite() {
    let Some(store) = cluster::store().await else { return };
    let here =
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'";
    let mut here = columns(sqlx::query_as(here).fetch_all(&store.pool).await.unwrap());
    let shared: BTreeSet<&str> =
        here.iter().map(|(table, _)| table.as_str()).filter(|table| SHARED.contains(table)).collect();
    assert_eq!(shared.len(), SHARED.len());
    here.retain(|(table, _)| !SHARED.contains(&table.as_str()));
    let sqlite = SqliteStore::in_memory().await.unwrap();
    // Generated columns are hidden ones for `table_info`.
    let there = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'";
    let mut there = columns(sqlx::query_as(there).fetch_all(sqlite.raw()).await.unwrap());
    assert!(there.remove(&("session".to_owned(), "refused_draft".to_owned())), "it is not read any more");
    // PostgreSQL writes outcomes row by row, and needs no table to collect them.
    there.retain(|(table, _)| table != "outcome");
    assert_eq!(here, there);
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
