//! Inside a portal's page: what the frame learns.

use super::*;

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
    assert!(known.body.contains(&format!("href=\"{PORTAL}/\"")), "the way back to the portal it comes from");
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
        // A notice inside a template is not an event yet.
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
    // Notices without an action: neither reported nor shown.
    for path in [
        format!("/profiles?selected={id}&notice=received"),
        format!("/profiles?notice=deleted&id={id}"),
        "/profiles?notice=mode-own&mode=portal".to_owned(),
        "/sending-mode?notice=mode-saved&mode=portal".to_owned(),
    ] {
        assert_eq!(event(&path).await, None, "{path}");
        let page = app.get(&path, &cookie).await.body;
        // Templates hold what a script may show later.
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
