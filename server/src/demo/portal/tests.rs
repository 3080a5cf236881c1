//! The portal's pages, and the token it signs.

use app::theme::{Given, GivenTheme, Theme};
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use jiff::Timestamp;
use tower::ServiceExt;

use super::*;
use crate::portal::{self, PortalKey, token};

const NOW: i64 = 1_800_000_000;

fn options() -> PortalOptions {
    PortalOptions {
        public_url: "http://localhost:4000".to_owned(),
        configurator_url: "http://127.0.0.1:3000".to_owned(),
        issuer: "demo".to_owned(),
        key: SigningKey { id: "k1".to_owned(), secret: vec![7; 32] },
        inbox: Inbox::default(),
        clock: Arc::new(|| Timestamp::from_second(NOW).unwrap()),
        starttls_port: 2525,
        tls_port: 2465,
        api: Api { facteur: Router::new(), key: String::new() },
    }
}

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    let response = router(options()).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_menu_leads_to_the_sending_mode() {
    let (_, _, home) = get("/boulangerie-martin").await;
    assert!(home.contains(">Paramètres</a>") && home.contains("aria-hidden=\"true\">+</span>"));
    let (_, _, settings) = get("/boulangerie-martin/settings").await;
    assert!(settings.contains(">Mode d’envoi des emails</a>"));
    let (_, headers, sending) = get("/boulangerie-martin/settings/sending").await;
    assert!(sending.contains("<smtp-configurator token-url=\"/boulangerie-martin/token\" locale=\"fr\">"));
    assert!(sending.contains("<noscript><iframe") && sending.contains("Ouvrir dans une page"));
    assert!(sending.contains("src=\"http://127.0.0.1:3000/embed.js\""));
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("frame-src 'self' http://127.0.0.1:3000"), "{policy}");
    let (_, headers, english) = get("/velo-dubois/settings?lang=en").await;
    assert!(
        english.contains("How emails are sent") && headers[header::SET_COOKIE].to_str().unwrap().starts_with("lang=en")
    );
    assert_eq!(get("/nobody").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/boulangerie-martin/open/elsewhere").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_token_opens_a_session_of_the_configurator() {
    let (_, headers, page) = get("/boulangerie-martin/open/profiles").await;
    assert!(page.contains("action=\"http://127.0.0.1:3000/session\""));
    assert_ne!(headers[header::REFERRER_POLICY], "no-referrer", "the post must send its origin");
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let portal = portal::Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec!["http://localhost:4000".to_owned()],
        home: None,
        time_zone: None,
        keys: vec![PortalKey::shared("k1", &[7; 32]).unwrap()],
        require_challenge: false,
        theme: GivenTheme::default(),
        api_keys: vec![],
        relay: None,
        webhook: None,
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let portals = [portal];
    let verifier = token::TokenVerifier { portals: &portals, public_url: "http://127.0.0.1:3000".to_owned() };
    let open = |tokens: &token::TokenVerifier<'_>, token: &str, verifier: &str| {
        let presented = token::Presented { token, verifier };
        tokens.verify(&presented, "http://localhost:4000", now).map(|(_, identity)| identity)
    };
    let identity = open(&verifier, token, "").unwrap();
    assert_eq!(identity.account.account, "boulangerie-martin");
    assert_eq!(identity.return_url.as_deref(), Some("http://localhost:4000/boulangerie-martin/settings"));
    let (_, _, again) = get("/boulangerie-martin/open/profiles").await;
    assert!(!again.contains(token), "a fresh token each time");
    let elsewhere = token::TokenVerifier { public_url: "http://127.0.0.1:3001".to_owned(), ..verifier.clone() };
    assert!(open(&elsewhere, token, "").is_err(), "the token is for its own Facteur");
    // The element's token is useless without the verifier that the element keeps (RFC 7636, appendix B).
    let request = Request::post("/boulangerie-martin/token")
        .header(header::ORIGIN, "http://localhost:4000")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(
            "audience=http%3A%2F%2F127.0.0.1%3A3000&challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ));
    let answer = router(options()).oneshot(request.unwrap()).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let bound = String::from_utf8(body.to_vec()).unwrap();
    assert!(open(&verifier, &bound, "").is_err());
    assert!(open(&verifier, &bound, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").is_ok());
}

#[tokio::test]
async fn a_token_is_given_to_the_portal_s_own_pages() {
    let ask = async |path: &str, origin: Option<&str>| {
        let mut request = Request::post(path);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let response = router(options()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, token) = ask("/velo-dubois/token", Some("http://localhost:4000")).await;
    assert_eq!((status, token.split('.').count()), (StatusCode::OK, 3));
    for origin in [None, Some("null"), Some("http://127.0.0.1:3000")] {
        assert_eq!(ask("/velo-dubois/token", origin).await, (StatusCode::FORBIDDEN, String::new()));
    }
    assert_eq!(ask("/nobody/token", Some("http://localhost:4000")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/velo-dubois/token").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_inbox_lists_the_personas_and_is_emptied_by_its_own_page_only() {
    let (_, _, inbox) = get("/inbox").await;
    assert!(inbox.contains("abcd efgh ijkl mnop") && inbox.contains("boutique@sandbox.example"));
    assert_eq!(get("/inbox.json").await.2, "[]");
    let post = |origin: &'static str| {
        Request::post("/inbox/empty").header(header::ORIGIN, origin).body(Body::empty()).unwrap()
    };
    let foreign = router(options()).oneshot(post("https://evil.exemple")).await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let own = router(options()).oneshot(post("http://localhost:4000")).await.unwrap();
    assert_eq!(own.status(), StatusCode::SEE_OTHER);
}

#[test]
fn the_theme_has_the_colours_of_the_portal_s_own_pages() {
    let given: GivenTheme = toml::from_str(include_str!("theme.toml")).unwrap();
    let (_, refused) = Theme::read([&given]);
    assert!(refused.is_empty(), "{refused:?}");
    let style = include_str!("style.css");
    for (variable, theirs) in [
        ("background", "paper"),
        ("surface", "sheet"),
        ("text", "ink"),
        ("text-muted", "quiet"),
        ("line", "line"),
        ("brand", "brand"),
        ("brand-text", "on-brand"),
    ] {
        let Some(Given::Two { light, dark }) = given.variables.get(variable) else { panic!("{variable}") };
        assert!(style.contains(&format!("--{theirs}: light-dark({light}, {dark});")), "{variable}");
    }
}
