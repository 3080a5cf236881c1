//! Fresh tokens for an open session, and for an ended one.

use super::*;

#[tokio::test]
async fn a_session_goes_on_with_fresh_tokens() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for round in 1..=30 {
        // Past the twelve hours after which it would have ended.
        app.later(round * 50);
        let answer = app.renew(&cookie, &app.fresh("martin", "claire", &format!("renew-{round}"))).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{round}");
        assert_eq!(answer.headers["session-seconds"], "3600");
    }
    assert!(app.is_open(&cookie).await);
    app.later(30 * 50 + 61);
    assert!(!app.is_open(&cookie).await);
    let answer = app.renew(&cookie, &app.fresh("martin", "claire", "too-late")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "an ended session cannot be renewed");
}

#[tokio::test]
async fn another_session_begins_under_a_page_of_the_same_person_only() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let page = app.get("/profiles/new?form=form-0001", &cookie).await.body;
    let owner = page.split("name=\"form_owner\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let owner: String = form_urlencoded::byte_serialize(owner.as_bytes()).collect();
    app.later(61);
    let again = async |cookie: &str, token: &str, owner: &str| {
        app.post("/session/again", cookie, &format!("token={token}&form_owner={owner}")).await
    };
    let others = [app.fresh("dubois", "claire", "1"), app.fresh("martin", "karim", "2")];
    for token in &others {
        assert_eq!(again(&cookie, token, "").await.status, StatusCode::CONFLICT, "the cookie names the owner");
        assert_eq!(again("", token, &owner).await.status, StatusCode::CONFLICT, "the page names the owner");
    }
    for token in ["", "nonsense"] {
        assert_eq!(again(&cookie, token, &owner).await.status, StatusCode::UNAUTHORIZED, "{token}");
    }
    let good = app.fresh("martin", "claire", "3");
    let answer = again(&cookie, &good, &owner).await;
    assert_eq!((answer.status, answer.headers["session-seconds"].to_str().unwrap()), (StatusCode::NO_CONTENT, "3600"));
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(app.is_open(&set).await && !app.is_open(&cookie).await);
    assert_eq!(again(&set, &good, &owner).await.status, StatusCode::UNAUTHORIZED, "used before");
    // Without a cookie, and without a form in the page, there is no owner to compare with.
    assert_eq!(again("", &app.fresh("martin", "claire", "4"), "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_token_renews_the_session_of_its_own_person_and_once() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let good = token_of("martin", "claire", "good");
    for token in [token_of("dubois", "claire", "1"), token_of("martin", "karim", "2")] {
        assert_eq!(app.renew(&cookie, &token).await.status, StatusCode::CONFLICT, "another account, another person");
    }
    for (token, why) in [
        (token_of("martin", "claire", "jti-martin"), "the token that opened the session"),
        (signed("martin", "claire", "3", NOW - 600), "an old one"),
        ("nonsense".to_owned(), "nonsense"),
        (String::new(), "nothing"),
    ] {
        assert_eq!(app.renew(&cookie, &token).await.status, StatusCode::UNAUTHORIZED, "{why}");
    }
    assert_eq!(app.renew("", &good).await.status, StatusCode::UNAUTHORIZED, "no session");
    assert_eq!(app.post("/session/renew", &cookie, "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.renew(&cookie, &good).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.renew(&cookie, &good).await.status, StatusCode::UNAUTHORIZED, "used before");
    assert_eq!(app.token_post(&good, PORTAL).await.status, StatusCode::UNAUTHORIZED, "it cannot open a session either");
}

#[tokio::test]
async fn only_our_own_pages_renew() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for (number, (site, origin)) in
        [(Some("cross-site"), PORTAL), (Some("same-site"), OWN), (None, "null"), (None, PORTAL)].into_iter().enumerate()
    {
        let path = if number % 2 == 0 { "/session/renew" } else { "/session/again" };
        let mut request = Request::post(path)
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, FORM)
            .header(header::ORIGIN, origin);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let body = format!("token={}", token_of("martin", "claire", &number.to_string()));
        assert_eq!(app.ask(request.body(Body::from(body)).unwrap()).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn where_a_portal_requires_a_challenge_a_copied_token_opens_nothing() {
    let app = TestApp::of("", vec![Portal { require_challenge: true, ..portal() }]).await;
    let post = async |token: &str, verifier: &str| {
        let request = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, FORM);
        app.ask(request.body(Body::from(format!("token={token}&verifier={verifier}"))).unwrap()).await
    };
    let plain = token_of("martin", "claire", "1");
    let (refused, nonsense) = (post(&plain, "").await, post("nonsense", "").await);
    assert_eq!((refused.status, &refused.body), (StatusCode::UNAUTHORIZED, &nonsense.body), "the log says why");
    let bound = with_challenge("2");
    assert_eq!(post(&bound, "").await.status, StatusCode::UNAUTHORIZED, "copied from a log");
    let opened = post(&bound, VERIFIER).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let renewed = app.post("/session/renew", &cookie, &format!("token={}", token_of("martin", "claire", "3"))).await;
    assert_eq!(renewed.status, StatusCode::UNAUTHORIZED, "it does not renew either");
    let fresh = format!("token={}&verifier={VERIFIER}", with_challenge("4"));
    assert_eq!(app.post("/session/renew", &cookie, &fresh).await.status, StatusCode::NO_CONTENT);
    // A portal's server can still sign out with a token of its own.
    assert_eq!(app.revoke(&token_of("martin", "claire", "5"), "").await.status, StatusCode::NO_CONTENT);
}
