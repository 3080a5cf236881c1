//! Inside a portal's page: renewal, revocation, what a frame is told.

use super::*;

impl TestApp {
    async fn renew(&self, cookie: &str, token: &str) -> Answer {
        self.post("/session/renew", cookie, &format!("token={token}")).await
    }

    /// As a portal's server asks: no origin, no cookie.
    async fn revoke(&self, token: &str, body: &str) -> Answer {
        let request = Request::post("/api/v1/sessions/revoke").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn open(&self, account: &str, person: &str, jti: &str) -> String {
        let answer = self.token_post(&token_of(account, person, jti), PORTAL).await;
        answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn is_open(&self, cookie: &str) -> bool {
        self.get("/profiles", cookie).await.status == StatusCode::OK
    }

    /// A page as a frame asks for it.
    async fn framed(&self, path: &str, cookie: &str) -> String {
        let request = Request::get(path).header(header::COOKIE, cookie).header("sec-fetch-dest", "iframe");
        self.ask(request.body(Body::empty()).unwrap()).await.body
    }

    fn later(&self, minutes: i64) {
        self.later.store(minutes * 60, Ordering::SeqCst);
    }

    /// A token signed now, which may be later than the fixed date.
    fn fresh(&self, account: &str, person: &str, jti: &str) -> String {
        signed(account, person, jti, NOW + self.later.load(Ordering::SeqCst))
    }
}

fn token_of(account: &str, person: &str, jti: &str) -> String {
    signed(account, person, jti, NOW)
}

fn signed(account: &str, person: &str, jti: &str, now: i64) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": person, "iat": now, "exp": now + 120, "jti": jti,
        "account": { "id": account, "name": account }, "email": "claire@exemple.fr", "locale": "fr", "page": "profiles",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

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
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "what has ended does not go on");
}

#[tokio::test]
async fn another_session_begins_under_a_page_of_the_same_person_only() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let page = app.get("/profiles/new?form=form-0001", &cookie).await.body;
    let whose = page.split("name=\"whose\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let whose: String = form_urlencoded::byte_serialize(whose.as_bytes()).collect();
    app.later(61);
    let again = async |cookie: &str, token: &str, whose: &str| {
        app.post("/session/again", cookie, &format!("token={token}&whose={whose}")).await
    };
    let others = [app.fresh("dubois", "claire", "1"), app.fresh("martin", "karim", "2")];
    for token in &others {
        assert_eq!(again(&cookie, token, "").await.status, StatusCode::CONFLICT, "the cookie says whose it was");
        assert_eq!(again("", token, &whose).await.status, StatusCode::CONFLICT, "or the page does");
    }
    for token in ["", "nonsense"] {
        assert_eq!(again(&cookie, token, &whose).await.status, StatusCode::UNAUTHORIZED, "{token}");
    }
    let good = app.fresh("martin", "claire", "3");
    let answer = again(&cookie, &good, &whose).await;
    assert_eq!((answer.status, answer.headers["session-seconds"].to_str().unwrap()), (StatusCode::NO_CONTENT, "3600"));
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(app.is_open(&set).await && !app.is_open(&cookie).await);
    assert_eq!(again(&set, &good, &whose).await.status, StatusCode::UNAUTHORIZED, "used before");
    // Where the cookie is gone, and the page has no form, there is nothing to compare with.
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
    assert_eq!(app.token_post(&good, PORTAL).await.status, StatusCode::UNAUTHORIZED, "also at the door");
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
    // Another account than the token's, and what does not read.
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

const KEY: &str = "fct_signs-out";

/// An application whose portal has an API key.
async fn with_a_key() -> TestApp {
    let hash = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), KEY)).into();
    let api_keys = vec![crate::portal::ApiKey { id: "k".to_owned(), hash }];
    TestApp::of("", vec![Portal { api_keys, ..portal() }]).await
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
    assert_eq!(are_open().await, [true; 3], "nothing that is wrong ends anything");
    assert_eq!(app.revoke(KEY, r#"{"account":"martin","user":"karim"}"#).await.status, StatusCode::NO_CONTENT);
    assert_eq!(are_open().await, [true, false, true]);
    for _ in 0..2 {
        assert_eq!(app.revoke(KEY, r#"{"account":"martin"}"#).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(are_open().await, [false, false, true], "another account's");
}

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A token of claire's that only the page with [`VERIFIER`] can use.
fn with_challenge(jti: &str) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": NOW, "exp": NOW + 120, "jti": jti,
        "account": { "id": "martin", "name": "martin" }, "email": "claire@exemple.fr",
        "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

#[tokio::test]
async fn where_a_portal_requires_a_challenge_a_copied_token_opens_nothing() {
    let app = TestApp::of("", vec![Portal { require_challenge: true, ..portal() }]).await;
    let post = async |token: &str, verifier: &str| {
        let request =
            Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, super::FORM);
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
    assert_eq!(renewed.status, StatusCode::UNAUTHORIZED, "nor does it renew");
    let fresh = format!("token={}&verifier={VERIFIER}", with_challenge("4"));
    assert_eq!(app.post("/session/renew", &cookie, &fresh).await.status, StatusCode::NO_CONTENT);
    // A portal's server still signs out with a token of its own.
    assert_eq!(app.revoke(&token_of("martin", "claire", "5"), "").await.status, StatusCode::NO_CONTENT);
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
    let request = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, super::FORM);
    let form = format!("token={bound}&verifier={VERIFIER}");
    let opened = app.ask(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "and was not used up by that");
    // A cookie is no token, wherever the request comes from.
    assert_eq!(app.post("/api/v1/sessions/revoke", &cookie, "").await.status, StatusCode::UNAUTHORIZED);
    // A page of another site would have to ask first, and gets no leave.
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri("/api/v1/sessions/revoke")
        .header(header::ORIGIN, "https://evil.exemple")
        .header("access-control-request-headers", "authorization");
    let answer = app.ask(request.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert!(app.is_open(&cookie).await);
}

#[tokio::test]
async fn a_frame_gets_the_script_that_speaks_with_the_portal() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let framed = app.framed("/profiles", &cookie).await;
    let script = framed.split("<script").find(|script| script.contains("/frame.js")).unwrap();
    for part in ["nonce=\"", &format!("data-origins=\"{PORTAL}\""), "data-visit=\"open\"", "data-seconds=\"3600\""] {
        assert!(script.contains(part), "{script}");
    }
    let stranger = app.ask(
        Request::get("/profiles")
            .header("sec-fetch-dest", "iframe")
            .header(header::REFERER, PORTAL)
            .body(Body::empty())
            .unwrap(),
    );
    let stranger = stranger.await.body;
    assert!(stranger.contains("data-visit=\"stranger\"") && stranger.contains("data-tab"), "{stranger}");
    app.later(90);
    let ended = app.framed("/profiles", &cookie).await;
    assert!(ended.contains("data-visit=\"ended\"") && !ended.contains("data-tab") && !ended.contains("data-seconds"));
    let alone = Request::get("/profiles").header("sec-fetch-dest", "document").body(Body::empty()).unwrap();
    assert!(!app.ask(alone).await.body.contains("/frame.js"));
    let refused = app.token_post("nonsense", PORTAL).await;
    assert!(refused.body.contains("data-visit=\"refused\"") && refused.body.contains(PORTAL));
}

#[tokio::test]
async fn a_refusal_is_framed_by_who_may_post_and_tells_no_stranger_who_that_is() {
    let policy = |answer: &Answer| answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    let refused = |portals: Vec<Portal>, origin: &'static str| async move {
        TestApp::of("", portals).await.token_post("nonsense", origin).await
    };
    let other = || Portal { id: "autre".to_owned(), origins: vec!["https://autre.exemple".to_owned()], ..portal() };
    for origin in ["https://evil.exemple", "null", ""] {
        let answer = refused(vec![portal()], origin).await;
        assert!(policy(&answer).ends_with("frame-ancestors 'none'"), "{origin}");
        assert!(!answer.body.contains("portail.exemple"), "{origin}");
    }
    let several = Portal { origins: vec![PORTAL.to_owned(), "https://staging.exemple".to_owned()], ..portal() };
    let answer = refused(vec![several], PORTAL).await;
    assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL}")));
    assert!(!answer.body.contains("staging.exemple"));
    let known = refused(vec![portal(), other()], PORTAL).await;
    assert!(policy(&known).ends_with(&format!("frame-ancestors {PORTAL}")));
    assert!(!known.body.contains("autre.exemple"));
    let unknown = refused(vec![portal(), other()], "https://evil.exemple").await;
    assert!(policy(&unknown).ends_with("frame-ancestors 'none'"));
    assert!(!unknown.body.contains("exemple") && !unknown.body.contains("<script"), "{}", unknown.body);
}

#[tokio::test]
async fn pages_say_what_happened_in_ids_and_codes() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let event = async |path: &str| {
        let page = app.get(path, &cookie).await.body;
        // What waits in a template has not happened.
        let outside = |part: &str| part.split_once("</template>").map_or(part.to_owned(), |(_, rest)| rest.to_owned());
        let page: String = page.split("<template").map(outside).collect();
        let event = page.split("data-event=\"").nth(1)?.split('"').next()?;
        Some(event.replace("&quot;", "'"))
    };
    let saved = format!("{{'type':'profile-saved','id':'{id}'}}");
    let once = form("", "smtp.gmail.com", "abcdefghijklmnop");
    for (path, sent) in [
        ("/api/profiles/save", form(&id, "smtp.gmail.com", "abcdefghijklmnop")),
        ("/api/profiles/save", form(&id, "smtp.gmail.com", "abcd efgh ijkl mnop")),
        ("/api/profiles/save", form(&id, "smtp.gmail.com", "tooshort")),
        ("/api/profiles/use", format!("id={id}")),
    ] {
        let answer = app.post(path, &cookie, &sent).await;
        assert_eq!(event(answer.proved()).await.as_ref(), Some(&saved), "{}", answer.proved());
        // The same address without its proof, with another one, an hour later.
        assert_eq!(event(answer.location()).await, None, "{}", answer.location());
        assert_eq!(event(&format!("{}&told=1800000000.AAAAAAAAAAAAAAAAAAAAAA", answer.location())).await, None);
        app.later.fetch_add(61, Ordering::SeqCst);
        assert_eq!(event(answer.proved()).await, None, "{}", answer.proved());
    }
    let copied = app.post("/api/profiles/duplicate", &cookie, &format!("id={id}")).await;
    assert!(event(copied.proved()).await.unwrap().starts_with("{'type':'profile-saved','id':'"), "{}", copied.proved());
    assert!(app.post("/api/profiles/save", &cookie, &once).await.location().contains("notice=saved"));
    let mode = app.post("/api/sending-mode/save", &cookie, "mode=own_smtp").await;
    assert_eq!(event(mode.proved()).await.as_deref(), Some("{'type':'mode-changed','mode':'own_smtp'}"));
    // What nobody did: not told, and not shown.
    for path in [
        format!("/profiles?selected={id}&notice=received"),
        format!("/profiles?notice=deleted&id={id}"),
        "/profiles?notice=mode-own&mode=portal".to_owned(),
        "/sending-mode?notice=mode-saved&mode=portal".to_owned(),
    ] {
        assert_eq!(event(&path).await, None, "{path}");
        let page = app.get(&path, &cookie).await.body;
        // A template is what a script may say later.
        let shown: String =
            page.split("<template").map(|part| part.split("</template>").last().unwrap_or_default()).collect();
        assert!(!shown.contains("notice done"), "{path}: {shown}");
    }
    let deleted = app.post("/api/profiles/delete", &cookie, &format!("id={id}")).await;
    assert_eq!(event(deleted.proved()).await, Some(format!("{{'type':'profile-deleted','id':'{id}'}}")));
}

#[tokio::test]
async fn the_portal_s_page_may_choose_page_and_language() {
    let app = TestApp::new().await;
    let open = async |jti: &str, wishes: &str| {
        let request = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, FORM);
        let body = format!("token={}&{wishes}", token_of("martin", "claire", jti));
        app.ask(request.body(Body::from(body)).unwrap()).await
    };
    let answer = open("1", "page=sending-mode&locale=en").await;
    assert_eq!(answer.location(), "/sending-mode");
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    assert!(app.get("/sending-mode", cookie).await.body.contains("<html lang=\"en\""));
    for (number, wishes) in ["page=//evil.exemple&locale=../../x", "page=&locale="].into_iter().enumerate() {
        let answer = open(&format!("wish-{number}"), wishes).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/profiles"), "{wishes}");
    }
}
