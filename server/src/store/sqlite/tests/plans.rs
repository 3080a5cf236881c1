//! SQLite's plan of every statement of the store: fails for a missing index, and for an unused one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::*;
use crate::store::contract::{self, maintenance::INDEXES};

/// The names of these databases' threads.
const THREAD: &str = "plans-";
/// Tables with at most a handful of rows.
const SMALL: [&str; 7] = ["canary", "clock", "heartbeat", "outcome", "quarantine", "sqlite_schema", "tally"];
/// Statements that read a whole table: they run after the clock was set, and change every row.
const READ_WHOLE: &str = "+ ?1 WHERE";
/// Indexes that are read from end to end: of the messages being sent, of which there are few, and of the grants, which are
/// counted.
const WHOLE: [&str; 2] =
    ["SCAN message USING INDEX message_leased", "SCAN oauth_grant USING COVERING INDEX oauth_grant_counted"];
/// Subqueries with as many rows as their `LIMIT` says, and lists of values.
const BOUNDED: [&str; 9] = [
    "_ones",
    "SCAN found",
    "VIRTUAL",
    "CONSTANT",
    "VALUES",
    "(subquery",
    "SCAN start",
    "SCAN looked_at",
    "SCAN counted",
];
/// Read only after the clock was set.
const UNUSED: [&str; 1] = ["login_by_age"];

/// The statements sent to these tests' databases.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<BTreeSet<String>>>);

/// The text of a statement in sqlx's log: in `db.statement`, or in `summary` when it is short.
#[derive(Default)]
struct Text(BTreeMap<&'static str, String>);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Asked {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !std::thread::current().name().is_some_and(|name| name.starts_with(THREAD)) {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let whole = text.0.get("db.statement").filter(|text| !text.trim().is_empty()).or(text.0.get("summary"));
        let whole = whole.map(|text| text.trim().to_owned()).unwrap_or_default();
        let verb = whole.split_whitespace().next().unwrap_or_default();
        if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb) && !whole.contains("_sqlx_migrations") {
            self.0.lock().unwrap().insert(whole);
        }
    }
}

async fn store() -> SqliteStore {
    SqliteStore::in_memory_on(|number| format!("{THREAD}{number}")).await.unwrap()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let asked = Asked::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(asked.clone())).unwrap();
    contract::every_statement(store).await;
    let asked = std::mem::take(&mut *asked.0.lock().unwrap());
    assert!(asked.len() > 100, "{}", asked.len());

    let store = store().await;
    let (mut found, mut whole) = (BTreeSet::new(), Vec::new());
    for sql in asked.iter().flat_map(|sql| sql.split(';')).filter(|sql| !sql.trim().is_empty()) {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&store.pool)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        for (.., step) in plan {
            let words: Vec<&str> = step.split_whitespace().collect();
            if let Some(at) = words.iter().position(|word| *word == "INDEX") {
                found.insert(words[at + 1].to_owned());
            }
            if words[0] == "SCAN"
                && !SMALL.contains(&words[1])
                && !BOUNDED.iter().any(|part| step.contains(part))
                && !WHOLE.iter().any(|scan| step.starts_with(scan))
                && !sql.contains(READ_WHOLE)
            {
                whole.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(whole.is_empty(), "read from the first row to the last:\n{}", whole.join("\n\n"));
    found.retain(|index| {
        index.contains('_') && !index.starts_with("sqlite_autoindex") && !UNUSED.contains(&index.as_str())
    });
    let there: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_autoindex%'")
            .fetch_all(&store.pool)
            .await
            .unwrap();
    let there: BTreeSet<String> = there.into_iter().collect();
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), INDEXES, "used");
    assert_eq!(there.difference(&found).collect::<Vec<_>>(), UNUSED, "not used");
}
