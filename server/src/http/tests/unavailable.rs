//! What is answered while the database cannot be written.

use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;

#[tokio::test]
async fn while_the_database_is_locked_everybody_is_told_to_come_back() {
    let path = std::env::temp_dir().join(format!("facteur-{}.db", uuid::Uuid::new_v4()));
    let app = TestApp::on(SqliteStore::open(&path).await.unwrap(), "", vec![portal()]);
    let cookie = app.sign_in("martin").await;
    assert_eq!(app.get("/readyz", "").await.status, StatusCode::OK);
    let mut other = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let began = Instant::now();
    let token = token("dubois", "1");
    let save = form("", "smtp.gmail.com", "abcdefghijklmnop");
    let (ready, alive, opened, saved) = tokio::join!(
        app.get("/readyz", ""),
        app.get("/healthz", ""),
        app.token_post(&token, PORTAL),
        app.post("/api/profiles/save", &cookie, &save),
    );
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!((ready.status, ready.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "database"));
    assert_eq!((alive.status, alive.body.as_str()), (StatusCode::OK, "ok"));
    assert_eq!(opened.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(opened.body.contains("<h1>"), "a page that says so");
    for answer in [&ready, &opened] {
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
    }
    assert_eq!(saved.location(), "/profiles?notice=unavailable");
    // Reading goes on, also where a session would have been prolonged.
    app.later.fetch_add(600, Ordering::SeqCst);
    assert_eq!(app.get("/profiles", &cookie).await.status, StatusCode::OK);

    app.later.fetch_sub(600, Ordering::SeqCst);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(app.get("/readyz", "").await.status, StatusCode::OK);
    assert_eq!(app.token_post(&token, PORTAL).await.status, StatusCode::SEE_OTHER);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
