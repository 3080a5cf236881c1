//! How the server is reached, and what happens when it is not.

use std::path::Path;

use super::*;

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
async fn the_server_s_certificate_is_checked() {
    let Some((url, authority)) = cluster::over_tls().await else { return };
    let open =
        async |query: String| PostgresStore::open(options(&format!("{url}?{query}"), Path::new("")).unwrap(), 2).await;
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
        let problem = options(url, Path::new("")).unwrap_err();
        assert!(!problem.contains("geheim"), "{problem}");
    }
    let url = "postgres://facteur@db.example/mail?sslmode=verify-full&sslrootcert=/etc/ca.pem";
    let good = options(url, Path::new("/etc/facteur")).unwrap();
    assert_eq!((good.get_host(), good.get_port(), good.get_database()), ("db.example", 5432, Some("mail")));
    assert!(matches!(good.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
}

#[test]
fn files_in_a_url_are_relative_to_a_folder() {
    let from = |query: &str| {
        let url = format!("postgres://facteur:p%40ss@db.example/mail?{query}");
        with_files_from(Path::new("/etc/facteur"), &url).to_string()
    };
    for (given, read) in [
        (
            "sslmode=verify-full&sslrootcert=keys/ca.pem",
            "sslmode=verify-full&sslrootcert=%2Fetc%2Ffacteur%2Fkeys%2Fca.pem",
        ),
        ("sslrootcert=/etc/ca.pem", "sslrootcert=%2Fetc%2Fca.pem"),
        ("sslcert=a.pem&sslkey=b.pem", "sslcert=%2Fetc%2Ffacteur%2Fa.pem&sslkey=%2Fetc%2Ffacteur%2Fb.pem"),
        ("host=/var/run/postgresql&user=a+b", "host=%2Fvar%2Frun%2Fpostgresql&user=a+b"),
        ("sslrootcert=-----BEGIN+CERTIFICATE-----", "sslrootcert=-----BEGIN+CERTIFICATE-----"),
    ] {
        assert_eq!(from(given), format!("postgres://facteur:p%40ss@db.example/mail?{read}"));
    }
}
