//! A portal ends sessions.

use super::*;

const KEY: &str = "fct_signs-out";

/// An application whose portal has an API key.
async fn with_a_key() -> TestApp {
    let hash = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), KEY)).into();
    let api_keys = vec![crate::portal::ApiKey { id: "k".to_owned(), hash }];
    TestApp::of("", vec![Portal { api_keys, ..portal() }]).await
}

#[tokio::test]
async fn a_portal_ends_the_sessions_of_who_signs_out() {
    let app = TestApp::new().await;
    let open = [
        app.open("martin", "claire", "a").await,
        app.open("martin", "claire", "b").await,
        app.open("martin", "karim", "c").await,
        app.open("dubois", "claire", "d").await,
    ];
    let are_open = async || {
        let mut states = Vec::new();
        for cookie in &open {
            states.push(app.is_open(cookie).await);
        }
        states
    };
    // Another account than the token's, and malformed bodies.
    let token = token_of("martin", "claire", "e");
    for body in [r#"{"account":"dubois"}"#, r#"{"user":"karim"}"#, "{", "[]", "{}", r#"{"account":1}"#] {
        assert_eq!(app.revoke(&token, body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    // Others than its own person.
    for body in [r#"{"account":"martin"}"#, r#"{"account":"martin","user":"karim"}"#] {
        assert_eq!(app.revoke(&token, body).await.status, StatusCode::FORBIDDEN, "{body}");
    }
    assert_eq!(are_open().await, [true; 4]);
    assert_eq!(app.revoke(&token, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(are_open().await, [false, false, true, true]);
    let ended = app.get("/profiles", &open[0]).await;
    assert!(ended.body.contains("Votre session est terminée"), "an ended session leads back to the portal");
    assert_eq!(app.revoke(&token, "").await.status, StatusCode::UNAUTHORIZED, "used before");
    let again = token_of("martin", "claire", "f");
    assert_eq!(app.revoke(&again, "").await.status, StatusCode::NO_CONTENT, "also when nothing is open");
    let own = token_of("martin", "claire", "g");
    assert_eq!(app.revoke(&own, r#"{"account":"martin","user":"claire"}"#).await.status, StatusCode::NO_CONTENT);
    assert_eq!(are_open().await, [false, false, true, true]);
}

#[tokio::test]
async fn a_portal_s_key_ends_the_sessions_of_a_whole_account() {
    let app = with_a_key().await;
    let open = [
        app.open("martin", "claire", "a").await,
        app.open("martin", "karim", "b").await,
        app.open("dubois", "claire", "c").await,
    ];
    let are_open = async || [app.is_open(&open[0]).await, app.is_open(&open[1]).await, app.is_open(&open[2]).await];
    assert_eq!(app.revoke("fct_another", r#"{"account":"martin"}"#).await.status, StatusCode::UNAUTHORIZED);
    for (body, field) in [
        ("", "/account"),
        ("{}", "/account"),
        (r#"{"user":"claire"}"#, "/account"),
        (r#"{"account":""}"#, "/account"),
        (r#"{"account":null}"#, "/account"),
        (r#"{"account":"martin\n"}"#, "/account"),
        (&format!(r#"{{"account":"{}"}}"#, "m".repeat(257)), "/account"),
        (r#"{"account":"martin","user":"kar\u0000im"}"#, "/user"),
        (r#"{"account":"martin","user":""}"#, "/user"),
        (r#"{"account":"martin","user":null}"#, "/user"),
        (r#"{"account":"martin","user":7}"#, "/user"),
        (r#"{"account":"martin","usr":"karim"}"#, "/usr"),
        (r#"{"account":"martin","User":"karim"}"#, "/User"),
    ] {
        let answer = app.revoke(KEY, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    for body in [r#"{"account":"martin","account":"dubois"}"#, r#"["martin"]"#, "{", r#"{"account":"martin"} x"#] {
        assert_eq!(app.revoke(KEY, body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(are_open().await, [true; 3], "an invalid request ends nothing");
    assert_eq!(app.revoke(KEY, r#"{"account":"martin","user":"karim"}"#).await.status, StatusCode::NO_CONTENT);
    assert_eq!(are_open().await, [true, false, true]);
    for _ in 0..2 {
        assert_eq!(app.revoke(KEY, r#"{"account":"martin"}"#).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(are_open().await, [false, false, true], "the other account's stays open");
}

#[tokio::test]
async fn revoking_takes_a_good_token_and_nothing_else() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for token in ["", "nonsense", &signed("martin", "claire", "1", NOW - 600)] {
        let answer = app.revoke(token, "").await;
        assert_eq!((answer.status, answer.body.contains("\"unauthorized\"")), (StatusCode::UNAUTHORIZED, true));
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    }
    // A token with a challenge opens the configurator and ends no sessions.
    let bound = with_challenge("2");
    let answer = app.revoke(&bound, "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.body.contains("a token with a challenge opens the configurator and revokes nothing"),
        "{}",
        answer.body
    );
    let request = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, FORM);
    let form = format!("token={bound}&verifier={VERIFIER}");
    let opened = app.ask(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "the refusal did not use it up");
    // A cookie is not a token, from any origin.
    assert_eq!(app.post("/api/v1/sessions/revoke", &cookie, "").await.status, StatusCode::UNAUTHORIZED);
    // A page of another site would need a preflight, which is refused.
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri("/api/v1/sessions/revoke")
        .header(header::ORIGIN, "https://evil.exemple")
        .header("access-control-request-headers", "authorization");
    let answer = app.ask(request.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert!(app.is_open(&cookie).await);
}
