//! How a session begins and ends.

use super::*;

#[tokio::test]
async fn a_token_opens_one_session_and_only_from_a_registered_origin() {
    let app = TestApp::new().await;
    for origin in ["", "null", "https://evil.exemple", OWN] {
        assert_eq!(app.token_post(&token("martin", "1"), origin).await.status, StatusCode::UNAUTHORIZED, "{origin}");
    }
    let opened = app.token_post(&token("martin", "1"), PORTAL).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["__Host-facteur=", "Path=/", "HttpOnly", "Secure", "SameSite=None", "Partitioned"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let again = app.token_post(&token("martin", "1"), PORTAL).await;
    let nonsense = app.token_post("nonsense", PORTAL).await;
    assert_eq!(
        (again.status, &again.body),
        (StatusCode::UNAUTHORIZED, &nonsense.body),
        "the response is always the same"
    );
    let empty = app.ask(Request::post("/session").header(header::ORIGIN, PORTAL).body(Body::empty()).unwrap()).await;
    assert_eq!((empty.status, &empty.body), (StatusCode::UNAUTHORIZED, &nonsense.body));
    let in_url = app.get(&format!("/session?token={}", token("martin", "2")), "").await;
    assert_eq!(in_url.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_or_changed() {
    let app = TestApp::new().await;
    for cookie in ["", "__Host-facteur=", "__Host-facteur=AAAA", &format!("__Host-facteur={}", "A".repeat(43))] {
        for path in [
            "/sending-mode",
            "/profiles",
            "/profiles/new",
            "/profiles/guide?preset=gmail",
            "/profiles/provider?domain=gmail.com",
        ] {
            assert_eq!(app.get(path, cookie).await.status, StatusCode::UNAUTHORIZED, "{path} {cookie}");
        }
        let answer = app.post("/api/profiles/save", cookie, &form("", "smtp.gmail.com", "abcdefghijklmnop")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        // The response contains the form to send it again, without the secret.
        assert!(answer.body.contains("smtp.gmail.com") && !answer.body.contains("abcdefghijklmnop"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_session_that_was_revoked_keeps_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let who = Person {
        account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
        id: "claire".to_owned(),
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let entry = crate::store::contract::entry(77, 0);
    assert_eq!(app.store.end_sessions(&who.account, None, now, &entry).await.unwrap(), 1);
    let answer = app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(app.store.drafts(&who, Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_half_a_day_in_any_case() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let after = async |minutes: i64| {
        app.later.store(minutes * 60, Ordering::SeqCst);
        app.get("/profiles", &cookie).await
    };
    for minutes in [59, 118, 170] {
        assert_eq!(after(minutes).await.status, StatusCode::OK, "{minutes}: each visit extends it");
    }
    let ended = after(231).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    assert!(ended.body.contains("Votre session est terminée") && ended.body.contains(&format!("href=\"{PORTAL}/")));
    let posted = app.post("/api/sending-mode/save", &cookie, "mode=own_smtp").await;
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);
    assert!(posted.body.contains("value=\"own_smtp\""), "{}", posted.body);

    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for minutes in (30..720).step_by(30) {
        app.later.store(minutes * 60, Ordering::SeqCst);
        assert_eq!(app.get("/profiles", &cookie).await.status, StatusCode::OK, "{minutes}");
    }
    app.later.store(720 * 60, Ordering::SeqCst);
    assert_eq!(app.get("/profiles", &cookie).await.status, StatusCode::UNAUTHORIZED);
}
