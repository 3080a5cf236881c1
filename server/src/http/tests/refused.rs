//! Browsers that refuse the cookie of a frame: what they are shown, what that reveals about portals, and the tab they
//! get.

use super::*;

const OTHER: &str = "https://autre.exemple";
const ENGLISH: &str = "en-GB,en;q=0.8";

/// Two portals; the first one is green and has two origins.
fn two_portals() -> Vec<Portal> {
    let theme = json!({ "scheme": "light", "variables": { "radius": "3px" } });
    let origins = vec![PORTAL.to_owned(), "https://admin.portail.exemple".to_owned()];
    vec![
        Portal { origins, theme: serde_json::from_value(theme).unwrap(), ..portal() },
        Portal {
            id: "autre".to_owned(),
            origins: vec![OTHER.to_owned()],
            home: Some(format!("{OTHER}/")),
            keys: vec![PortalKey::shared("k1", &[8; 32]).unwrap()],
            ..portal()
        },
    ]
}

fn token_with_challenge(jti: &str) -> String {
    let claims = json!({
        "iss": "demo", "aud": OWN, "sub": "claire", "iat": NOW, "exp": NOW + 120, "jti": jti, "challenge": CHALLENGE,
        "account": { "id": "martin", "name": "martin" }, "email": "claire@exemple.fr", "page": "profiles",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

fn policy(answer: &Answer) -> &str {
    answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap()
}

impl TestApp {
    /// The portal's page posts a token into a frame.
    async fn enter_frame(&self, token: &str, fields: &str) -> Answer {
        let request = Request::post("/session")
            .header(header::ORIGIN, PORTAL)
            .header("sec-fetch-dest", "iframe")
            .header(header::CONTENT_TYPE, FORM);
        self.ask(request.body(Body::from(format!("token={token}{fields}"))).unwrap()).await
    }

    /// A page for a browser that wants English, in a frame or not.
    async fn page(&self, path: &str, cookie: &str, framed: bool, from: &str) -> Answer {
        let request = Request::get(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT_LANGUAGE, ENGLISH)
            .header(header::REFERER, from)
            .header("sec-fetch-dest", if framed { "iframe" } else { "document" });
        self.ask(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn who_keeps_no_cookie_is_answered_in_the_portal_s_language_look_and_frame() {
    let app = TestApp::of("", two_portals()).await;
    let theme = "&theme=%7B%22scheme%22%3A%22dark%22%7D";
    let entered = app.enter_frame(&token("martin", "1"), theme).await;
    let place = entered.location().to_owned();
    assert!(place.starts_with("/profiles?opening="), "{place}");
    let answer = app.page(&place, "", true, "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("<html lang=\"fr\" data-theme=\"dark\""), "{}", answer.body);
    assert!(answer.body.contains("--radius:0.1875rem"), "the portal's own theme, with the session's on top");
    assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL} https://admin.portail.exemple")));
    assert!(answer.body.contains("data-visit=\"stranger\"") && !answer.body.contains("autre.exemple"));
    assert_eq!(answer.body.matches("Retour au portail").count(), 1, "each link once");
    assert_eq!(answer.body.matches("Ouvrir dans un nouvel onglet").count(), 1);
    let form = answer.body.split("<form").nth(1).unwrap().split("</form>").next().unwrap();
    for part in
        ["method=\"post\"", "action=\"/session/tab\"", "target=\"_blank\"", "name=\"token\"", "name=\"verifier\""]
    {
        assert!(form.contains(part), "{form}");
    }
    // The name of the opening grants no access.
    let opening = place.split('=').nth(1).unwrap();
    assert_eq!(app.get("/profiles", &format!("__Host-facteur={opening}")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.page("/profiles?opening=AAAA", "", true, "").await.status, StatusCode::UNAUTHORIZED);
    // A browser that keeps the cookie has a session, and outside a frame nothing is added.
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    assert_eq!(app.page(&place, cookie, true, "").await.status, StatusCode::OK);
    assert_eq!(app.token_post(&token("martin", "2"), PORTAL).await.location(), "/profiles");
}

#[tokio::test]
async fn an_older_cookie_does_not_stand_in_for_the_one_that_was_refused() {
    let app = TestApp::new().await;
    let (older, same) = (app.sign_in("dubois").await, app.sign_in("martin").await);
    let entered = app.enter_frame(&token("martin", "1"), "").await;
    let answer = app.page(entered.location(), &older, true, "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.body.contains("dubois"), "{}", answer.body);
    assert_eq!(
        app.page(entered.location(), &same, true, "").await.status,
        StatusCode::OK,
        "an older session of the same person will do"
    );
    app.later.store(3_500, Ordering::SeqCst);
    let again = signed_at("martin", "2", NOW + 3_500);
    let entered = app.enter_frame(&again, "").await;
    app.later.store(3_700, Ordering::SeqCst);
    let answer = app.page(entered.location(), &same, true, "").await;
    assert!(answer.body.contains("data-visit=\"stranger\""), "an ended session does not replace it");
}

fn signed_at(account: &str, jti: &str, now: i64) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": now, "exp": now + 120, "jti": jti,
        "account": { "id": account, "name": account }, "email": "", "page": "profiles",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

#[tokio::test]
async fn a_page_without_a_session_names_no_portal_that_was_not_named_before() {
    let app = TestApp::of("", two_portals()).await;
    for path in ["/profiles", "/sending-mode", "/session-ended", "/nowhere", "/profiles?opening=x"] {
        for (framed, from) in [(false, ""), (true, ""), (true, "https://evil.exemple/"), (true, "x"), (false, OWN)] {
            let answer = app.page(path, "", framed, from).await;
            assert!(policy(&answer).ends_with("frame-ancestors 'none'"), "{path} {from} {}", policy(&answer));
            assert!(
                !answer.body.contains("portail.exemple") && !answer.body.contains("autre.exemple"),
                "{path} {from}"
            );
            assert!(!answer.body.contains("/frame.js"), "{path} {from}");
        }
    }
    // Browsers send the page with the form as the referrer.
    let answer = app.page("/profiles", "", true, &format!("{PORTAL}/page?x")).await;
    assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL}")), "not its other origins");
    assert!(!answer.body.contains("admin.portail.exemple"));
    assert!(answer.body.contains("data-theme=\"light\"") && !answer.body.contains("autre.exemple"));
    // An ended session belongs to one portal.
    let cookie = app.sign_in("martin").await;
    app.later.store(2 * 3_600, Ordering::SeqCst);
    let answer = app.page("/profiles", &cookie, true, "").await;
    assert!(answer.body.contains("data-visit=\"ended\"") && answer.body.contains("data-theme=\"light\""));
    assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL} https://admin.portail.exemple")));
}

#[tokio::test]
async fn an_origin_of_two_portals_says_nothing_about_their_others() {
    let mut portals = two_portals();
    portals[1].origins.push(PORTAL.to_owned());
    let app = TestApp::of("", portals).await;
    let page = app.page("/profiles", "", true, PORTAL).await;
    let refused = app.token_post("nonsense", PORTAL).await;
    for answer in [page, refused] {
        assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL}")), "{}", policy(&answer));
        assert!(!answer.body.contains("autre.exemple") && !answer.body.contains("admin."), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_only_portal_is_named_to_nobody_else() {
    let home = Some("https://www.exemple/boutique".to_owned());
    let app = TestApp::of("", vec![Portal { home, ..portal() }]).await;
    for (path, framed, from) in [
        ("/profiles", true, ""),
        ("/profiles", false, ""),
        ("/nowhere", true, "https://evil.exemple/"),
        ("/session-ended", true, "x"),
    ] {
        let answer = app.page(path, "", framed, from).await;
        assert!(policy(&answer).ends_with("frame-ancestors 'none'"), "{path} {from}");
        assert!(!answer.body.contains("portail.exemple"), "{path} {from}");
        assert!(answer.body.contains("https://www.exemple/boutique"), "{path} {from}: the way back");
    }
    // A link of our own page, in the frame of a portal: its session is gone.
    let request = Request::get("/profiles")
        .header(header::ACCEPT_LANGUAGE, ENGLISH)
        .header(header::REFERER, OWN)
        .header("sec-fetch-dest", "iframe")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate");
    let answer = app.ask(request.body(Body::empty()).unwrap()).await;
    assert!(policy(&answer).ends_with(&format!("frame-ancestors {PORTAL}")));
    assert!(answer.body.contains("data-visit=\"ended\""));
}

#[tokio::test]
async fn our_own_page_opens_a_tab_with_what_the_portal_s_page_gave_it() {
    let app = TestApp::new().await;
    let own = [("sec-fetch-site", "same-origin"), ("origin", OWN)];
    let open = async |headers: &[(&str, &str)], body: &str| {
        let request =
            headers.iter().fold(Request::post("/session/tab"), |request, (name, value)| request.header(*name, *value));
        app.ask(request.header(header::CONTENT_TYPE, FORM).body(Body::from(body.to_owned())).unwrap()).await
    };
    let bound = token_with_challenge("1");
    let fields = format!("token={bound}&verifier={VERIFIER}&page=sending-mode&locale=en&theme=");
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", PORTAL)][..],
        &[("sec-fetch-site", "same-origin"), ("origin", PORTAL)],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", PORTAL)],
        &[("origin", "null")],
        &[],
    ] {
        assert_eq!(open(headers, &fields).await.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    for body in ["", "token=nonsense", &format!("token={bound}"), &format!("token={bound}&verifier=x")] {
        assert_eq!(open(&own[..], body).await.status, StatusCode::UNAUTHORIZED, "{body}");
    }
    let opened = open(&own[..], &fields).await;
    assert_eq!((opened.status, opened.location()), (StatusCode::SEE_OTHER, "/sending-mode"));
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    assert!(app.get("/sending-mode", cookie).await.body.contains("<html lang=\"en\""));
    assert_eq!(open(&own[..], &fields).await.status, StatusCode::UNAUTHORIZED, "used before");
    // As WebKit sends it: the tab is opened from within the portal's site.
    let webkit = [("sec-fetch-site", "cross-site"), ("origin", OWN)];
    let fields = format!("token={}&verifier={VERIFIER}", token_with_challenge("2"));
    assert_eq!(open(&webkit[..], &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_token_that_was_copied_opens_and_renews_nothing() {
    let app = TestApp::new().await;
    let bound = token_with_challenge("1");
    // A program can forge any origin.
    assert_eq!(app.token_post(&bound, PORTAL).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.enter_frame(&bound, "&verifier=x").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.enter_frame(&bound, &format!("&verifier={VERIFIER}")).await.status, StatusCode::SEE_OTHER);
    let cookie = app.sign_in("martin").await;
    let bound = token_with_challenge("2");
    for (verifier, status) in [("", StatusCode::UNAUTHORIZED), (VERIFIER, StatusCode::NO_CONTENT)] {
        let answer = app.post("/session/renew", &cookie, &format!("token={bound}&verifier={verifier}")).await;
        assert_eq!(answer.status, status, "{verifier}");
    }
}

#[tokio::test]
async fn a_refusal_speaks_the_language_of_the_portal_s_page_and_wears_its_colours() {
    let app = TestApp::of("", two_portals()).await;
    let refused = app.enter_frame("nonsense", "&locale=en").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.body.contains("<html lang=\"en\" data-theme=\"light\""), "{}", refused.body);
    let css = refused.body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(css.contains("--radius:0.1875rem"), "{css}");
    let hash = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, <sha2::Sha256 as sha2::Digest>::digest(css));
    assert!(policy(&refused).contains(&format!("'sha256-{hash}'")));
    assert!(app.enter_frame("nonsense", "&locale=fr").await.body.contains("<html lang=\"fr\""));
}
