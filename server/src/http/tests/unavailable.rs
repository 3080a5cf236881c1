//! Responses while the database cannot be written, and when a row is damaged.

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
    assert!(opened.body.contains("<h1>"), "an error page");
    for answer in [&ready, &opened] {
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
    }
    assert_eq!(saved.location(), "/profiles?notice=unavailable");
    // Reading goes on, even where a session would have been extended.
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

/// 503 means that a retry may succeed. A damaged row is a fault of the service: no retry helps.
#[tokio::test]
async fn a_damaged_row_is_500_and_a_closed_database_503() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let asks = async |cookie: &str| {
        let theme = Request::post("/session/theme")
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, OWN)
            .header(header::CONTENT_TYPE, "application/json");
        let page = app.get("/profiles", cookie).await;
        let renewed = app.post("/session/renew", cookie, "token=x").await;
        let fresh = token("martin", &uuid::Uuid::new_v4().to_string());
        let again = app.post("/session/again", cookie, &format!("token={fresh}")).await;
        let themed = app.ask(theme.body(Body::from("{}")).unwrap()).await;
        [page, renewed, again, themed]
    };
    let program = |cookie: &str| {
        Request::post("/api/profiles/use")
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, OWN)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, FORM)
            .body(Body::from(format!("id={id}")))
            .unwrap()
    };

    sqlx::query("UPDATE profile SET security = 'x'").execute(app.store.raw()).await.unwrap();
    let listed = app.get("/profiles", &cookie).await;
    let used = app.ask(program(&cookie)).await;
    assert_eq!((used.status, used.body.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, r#"{"code":"internal"}"#));
    assert_eq!(listed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(listed.body.contains("Une erreur de notre côté"), "{}", listed.body);

    sqlx::query("UPDATE session SET content = '{}'").execute(app.store.raw()).await.unwrap();
    for answer in asks(&cookie).await {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.body);
        assert!(!answer.headers.contains_key(header::RETRY_AFTER), "a retry does not help");
    }

    app.store.close().await;
    for answer in asks(&cookie).await {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert!(answer.headers.contains_key(header::RETRY_AFTER), "a retry may help");
    }
}
