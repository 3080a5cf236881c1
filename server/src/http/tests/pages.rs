//! Addresses, headers and the theme of pages.

use super::*;

/// Every address in a text: links, form actions, sources, redirects.
fn addresses(body: &str) -> Vec<&str> {
    ["href=\"", "action=\"", "src=\"", "data-stream=\"", "from'", "module_or_path:'"]
        .iter()
        .flat_map(|mark| body.match_indices(mark).map(|(at, mark)| &body[at + mark.len()..]))
        .filter_map(|rest| rest.split(['"', '\'']).next())
        .filter(|address| address.starts_with('/'))
        .collect()
}

#[tokio::test]
async fn under_a_path_every_address_is_below_it() {
    // A proxy may remove the path, or keep it.
    for taken_off in ["", "/smtp"] {
        let app = TestApp::at("/smtp").await;
        let cookie = app.sign_in("martin").await;
        let id = app.add(&cookie).await;
        for path in ["sending-mode", "profiles", "profiles/new", "history", "nowhere", "session-ended"] {
            let page = app.get(&format!("{taken_off}/{path}"), &cookie).await;
            let found = addresses(&page.body);
            assert!(!found.is_empty(), "{path}");
            for address in found {
                assert!(address.starts_with("/smtp/"), "{address} on {path}");
            }
        }
        for path in ["edit", "encoding", "delete"] {
            let page = app.get(&format!("{taken_off}/profiles/{path}?id={id}"), &cookie).await;
            assert!(addresses(&page.body).iter().all(|address| address.starts_with("/smtp/")), "{path}");
        }
        let saved = app.post(&format!("{taken_off}/api/sending-mode/save"), &cookie, "mode=own_smtp").await;
        assert_eq!(saved.location(), "/smtp/sending-mode?notice=mode-saved&mode=own_smtp");
        assert_eq!(app.get(&format!("{taken_off}/"), &cookie).await.location(), "/smtp/sending-mode");
    }
}

#[tokio::test]
async fn the_page_looks_as_the_portal_asks_as_far_as_that_is_a_value() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let set = async |origin: &str, body: &str| {
        let request = Request::post("/session/theme")
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json");
        app.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let theme =
        r##"{"scheme":"dark","variables":{"brand":"#0b57d0","font":"x;}body{display:none","text":"url(//evil)"}}"##;
    assert_eq!(set("https://evil.exemple", theme).await.status, StatusCode::FORBIDDEN);
    let answer = set(OWN, theme).await;
    assert!(answer.body.contains("--brand") && answer.body.contains("\"dark\""), "{}", answer.body);
    assert!(!answer.body.contains("evil") && !answer.body.contains("display"), "{}", answer.body);
    let page = app.get("/profiles", &cookie).await;
    assert!(page.body.contains("data-theme=\"dark\"") && page.body.contains("--brand:light-dark(#0b57d0,"));
    assert!(!page.body.contains("display:none"));
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("style-src 'self' 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    for wrong in [r#"{"scheme":"pink"}"#, r#"["light"]"#] {
        assert_eq!(set(OWN, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    // Invalid values keep the present ones, which are the session's and not the portal's.
    let later = r#"{"variables":{"brand":"red","radius":"99px","font":"Inter"}}"#;
    let answer = set(OWN, later).await;
    assert!(answer.body.contains("\"--brand\":\"light-dark(#0b57d0,"), "{}", answer.body);
    let page = app.get("/profiles", &cookie).await.body;
    assert!(page.contains("--brand:light-dark(#0b57d0,") && page.contains("--font:"), "{page}");
    let other = app.sign_in("dubois").await;
    assert!(app.get("/profiles", &other).await.body.contains("data-theme=\"system\""));
}

#[tokio::test]
async fn every_answer_is_protected() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for path in ["/profiles", "/profiles/new", "/sending-mode", "/history", "/nowhere", "/session-ended"] {
        let answer = app.get(path, &cookie).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(&format!("frame-ancestors {PORTAL}")), "{path} {policy}");
        assert!(policy.contains("'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(answer.body.contains(&format!("nonce=\"{nonce}\"")), "{path}: the page's scripts carry the nonce");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "same-origin");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    assert_eq!(app.get("/nowhere", &cookie).await.status, StatusCode::NOT_FOUND);
    let options = Request::builder()
        .method(Method::OPTIONS)
        .uri("/api/profiles/save")
        .header(header::ORIGIN, "https://evil.exemple");
    let answer = app.ask(options.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn a_guide_comes_as_a_fragment() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let gmail = app.get("/profiles/guide?preset=gmail", &cookie).await;
    assert!(gmail.body.contains("myaccount.google.com/apppasswords") && !gmail.body.contains("<html"));
    let unknown = app.get("/profiles/guide?preset=%3Cscript%3E", &cookie).await;
    assert!(!unknown.body.contains("script"));
    for (cookie, status) in [(cookie.as_str(), StatusCode::BAD_REQUEST), ("", StatusCode::UNAUTHORIZED)] {
        for path in ["guide?preset=a&preset=b", "provider?domain=a&domain=b"] {
            let twice = app.get(&format!("/profiles/{path}"), cookie).await;
            assert_eq!((twice.status, twice.body.as_str()), (status, ""), "{path}");
        }
    }
}

#[tokio::test]
async fn the_provider_of_an_address_is_known_by_its_domain() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for (domain, preset) in [
        ("wanadoo.fr", "orange"),
        ("GoogleMail.com", "gmail"),
        ("hotmail.co.uk", "outlook-com"),
        ("boulangerie-martin.fr", ""),
        ("notgmail.com", ""),
        ("claire%40gmail.com", "gmail"),
        ("", ""),
        ("%3Cscript%3E", ""),
    ] {
        let answer = app.get(&format!("/profiles/provider?domain={domain}"), &cookie).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, preset), "{domain}");
    }
    // The form leaves that to this response, and stays small.
    let form = app.get("/profiles/new", &cookie).await;
    assert!(form.body.contains("data-provider=") && !form.body.contains("hotmail.co.uk"));
}
