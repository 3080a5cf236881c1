//! PostgreSQL's plan of every statement of the store: fails for a missing index, and for an unused one.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::store::contract::maintenance::INDEXES;

/// Tables with at most a handful of rows.
const SMALL: [&str; 6] = ["canary", "clock", "heartbeat", "machine", "quarantine", "tally"];
/// Statements that read a whole table: they run after the clock was set, and change every row.
const READ_WHOLE: &str = "+ $1 WHERE";
/// Indexes that are read from end to end: of the messages being sent, of which there are few, and of the grants, which are
/// counted.
const WHOLE: [&str; 2] = ["message_leased", "oauth_grant_counted"];
/// The first one is read only after the clock was set. The others belong to tables that only several processes need.
const UNUSED: [&str; 3] = ["login_by_age", "place_by_replica", "rate_by_age"];

/// Many accounts with a few profiles, messages in every state, and their other rows.
const FILL: &[&str] = &[
    "INSERT INTO profile (id, portal, account, host, port, security, login, sender_name, sender_address, encoding, in_use, secret,
         login_key)
     SELECT md5(n::text)::uuid::text, 'demo', 'a' || n / 4, 'smtp.example', 465, 'tls', 'l', 's', 's@x.example', 'utf8', n % 4 = 0,
         '\\x01', decode(md5(n::text), 'hex')
     FROM generate_series(1, 20000) AS n",
    "INSERT INTO oauth_grant (id, profile, attached_to, portal, account, client, issuer, subject, scopes, refresh, next_refresh_at)
     SELECT md5(n::text)::uuid::text, md5(n::text)::uuid::text, CASE WHEN n % 100 > 0 THEN md5(n::text)::uuid::text END, 'demo',
         'a' || n / 4, 'c' || n % 3, 'i', 's' || n, 'openid', convert_to(repeat(md5(n::text), 40), 'UTF8'), n
     FROM generate_series(1, 20000) AS n",
    "INSERT INTO sign_in (id, portal, account, session, client, ticket, state, sealed, content, expires_at)
     SELECT md5(n::text)::uuid::text, 'demo', 'a' || n, decode(md5(n::text), 'hex'), 'c', decode(md5(n::text), 'hex'),
         decode(md5(n::text), 'hex'), '\\x01', '{}', n
     FROM generate_series(1, 20000) AS n",
    "VACUUM oauth_grant",
    "INSERT INTO account (portal, account, sending_mode) SELECT 'demo', 'a' || n, 'own_smtp' FROM generate_series(1, 20000) AS n",
    "INSERT INTO test_run (profile, at, content) SELECT id, 1, '{}' FROM profile",
    "INSERT INTO last_failure (profile, content) SELECT id, '{}' FROM profile",
    "INSERT INTO receipt (profile, salt, code, expires_at, tries_left) SELECT id, '\\x01', '\\x01', 1, 1 FROM profile",
    "INSERT INTO message (id, portal, account, lane, idempotency_key, request_hash, message_id, subject, size, recipients, state,
         profile, lease_owner, lease_until, created_at, updated_at, expires_at, next_at, finished_at)
     SELECT md5(n::text)::uuid::text, 'demo', 'a' || n % 500, 'demo' || chr(31) || 'a' || n % 500, 'k' || n, '\\x01', 'm', 's', 1,
         '[]', CASE WHEN n % 100 = 0 THEN 'sending' WHEN n % 5 = 0 THEN 'deferred' ELSE 'accepted' END,
         md5((n % 20000)::text)::uuid::text,
         CASE WHEN n % 100 = 0 THEN 'l' || n END, CASE WHEN n % 100 = 0 THEN n END, n, n, n,
         CASE WHEN n % 5 = 0 AND n % 100 <> 0 THEN n END, CASE WHEN n % 5 <> 0 THEN n END
     FROM generate_series(1, 30000) AS n",
    "INSERT INTO content (message, sealed) SELECT id, '\\x01' FROM message",
    "INSERT INTO attempt (message, number, content) SELECT id, 1, '{}' FROM message",
    "INSERT INTO event (id, portal, content, created_at, next_at)
     SELECT md5(n::text)::uuid::text, 'p' || n % 10, '{}', n, n FROM generate_series(1, 20000) AS n",
    "INSERT INTO journal (id, portal, account, at, person, content)
     SELECT md5(n::text)::uuid::text, 'demo', 'a' || n % 500, n, 'p', '{}' FROM generate_series(1, 20000) AS n",
    "INSERT INTO session (key, content, expires_at, ends_at)
     SELECT decode(md5(n::text), 'hex'), format('{\"account\":{\"portal\":\"demo\",\"account\":\"a%s\"}}', n), n, n
     FROM generate_series(1, 20000) AS n",
    "INSERT INTO used_token (portal, jti, expires_at)
     SELECT 'demo', decode(md5(n::text), 'hex'), n FROM generate_series(1, 20000) AS n",
    "INSERT INTO draft (portal, account, person, form, content, kept_at)
     SELECT 'demo', 'a' || n % 500, 'p', 'f' || n, '{}', n FROM generate_series(1, 20000) AS n",
    "INSERT INTO login (id, key, at, until)
     SELECT md5(n::text), decode(md5((n / 3)::text), 'hex'), n, CASE WHEN n % 3 = 0 THEN n END FROM generate_series(1, 20000) AS n",
    "INSERT INTO destination (destination, next_at, rests_until)
     SELECT 'd' || n, CASE WHEN n % 500 > 0 THEN n END, CASE WHEN n % 500 = 0 THEN n ELSE 0 END FROM generate_series(1, 20000) AS n",
    "INSERT INTO lane (lane, fallback, portal, account, destination, next_at, rests_until)
     SELECT 'l' || n, FALSE, 'demo', 'l' || n, 'd' || n % 5000, CASE WHEN n % 500 > 0 THEN n END,
         CASE WHEN n % 500 = 0 THEN n ELSE 0 END
     FROM generate_series(1, 20000) AS n",
    "INSERT INTO quarantine (kind, \"row\", field, told) SELECT 'message', 'm' || n, 'id', n % 500 > 0 FROM generate_series(1, 20000) AS n",
    "ANALYZE",
];

/// The statements that a store's connections have prepared, with the types of their parameters.
async fn asked(store: &PostgresStore, asked: &mut BTreeMap<String, Vec<String>>) {
    let mut held = Vec::new();
    while let Some(mut connection) = store.pool.try_acquire() {
        let prepared: Vec<(String, Vec<String>)> =
            sqlx::query_as("SELECT statement, parameter_types::text[] FROM pg_prepared_statements")
                .fetch_all(&mut *connection)
                .await
                .unwrap();
        asked.extend(prepared);
        held.push(connection);
    }
}

/// The steps of a plan: what is read, how, and whether by a condition.
fn steps(plan: &serde_json::Value, found: &mut Vec<(String, String, String, bool)>) {
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let is_bounded = !plan["Index Cond"].is_null();
    found.push((text("Node Type"), text("Relation Name"), text("Index Name"), is_bounded));
    for below in plan["Plans"].as_array().into_iter().flatten() {
        steps(below, found);
    }
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let Some(_) = cluster::store().await else { return };
    let stores = std::sync::Mutex::new(Vec::new());
    contract::every_statement(async || {
        let store = cluster::store().await.unwrap();
        stores.lock().unwrap().push(store.clone());
        store
    })
    .await;
    let (mut statements, stores) = (BTreeMap::new(), stores.into_inner().unwrap());
    for store in &stores {
        asked(store, &mut statements).await;
    }
    statements.retain(|sql, _| {
        let verb = sql.split_whitespace().next().unwrap_or_default();
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb)
            && !["_sqlx_migrations", "pg_", "_origin"].iter().any(|name| sql.contains(name))
    });
    assert!(statements.len() > 100, "{}", statements.len());

    let store = cluster::store().await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    for sql in FILL {
        sqlx::query(*sql).execute(&mut *connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
    let (mut used, mut whole) = (BTreeSet::new(), Vec::new());
    for (number, (sql, types)) in statements.iter().enumerate() {
        let given =
            if types.is_empty() { String::new() } else { format!("({})", vec!["NULL"; types.len()].join(", ")) };
        let types = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let prepare = format!("PREPARE plan_{number} {types} AS {sql}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE plan_{number} {given}");
        let explained = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_one(&mut *connection).await.unwrap();
        let plan: serde_json::Value =
            serde_json::from_str(&explained.try_get_unchecked::<String, _>(0).unwrap()).unwrap();
        let mut found = Vec::new();
        steps(&plan[0]["Plan"], &mut found);
        for (step, table, index, is_bounded) in found {
            let is_whole = step.contains("Seq Scan")
                || (step.contains("Index") && !is_bounded && !WHOLE.contains(&index.as_str()));
            if is_whole && !SMALL.contains(&table.as_str()) && !sql.contains(READ_WHOLE) {
                whole.push(format!("{step} {table} {index}: {sql}"));
            }
            if !index.is_empty() && !index.ends_with("_pkey") {
                used.insert(index);
            }
        }
    }
    assert!(whole.is_empty(), "read from the first row to the last:\n{}", whole.join("\n\n"));
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let there: BTreeSet<String> = there.into_iter().collect();
    assert_eq!(used.iter().map(String::as_str).collect::<Vec<_>>(), INDEXES, "used");
    assert_eq!(there.difference(&used).collect::<Vec<_>>(), UNUSED, "not used");
}

/// A trigger sees all rows of a statement, and PostgreSQL keeps the plan that it made for one row.
#[tokio::test]
async fn a_statement_about_many_rows_does_not_compare_each_with_each() {
    let Some(store) = cluster::store().await else { return };
    let mut connection = store.pool.acquire().await.unwrap();
    for sql in FILL {
        sqlx::query(*sql).execute(&mut *connection).await.unwrap();
    }
    for table in ["message", "lane"] {
        let few = format!(
            "UPDATE {table} SET next_at = next_at + 1 WHERE ctid = (SELECT min(ctid) FROM {table} WHERE next_at IS NOT NULL)"
        );
        let all = format!("UPDATE {table} SET next_at = next_at - 1 WHERE next_at IS NOT NULL");
        for _ in 0..9 {
            sqlx::raw_sql(sqlx::AssertSqlSafe(few.clone())).execute(&mut *connection).await.unwrap();
        }
        let began = std::time::Instant::now();
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(all)).execute(&mut *connection).await.unwrap().rows_affected();
        assert!(changed > 5_000, "{table}: {changed}");
        assert!(began.elapsed() < Duration::from_secs(5), "{table}: {:?} for {changed} rows", began.elapsed());
    }
}
