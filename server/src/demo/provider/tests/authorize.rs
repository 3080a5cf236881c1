//! `/authorize`: what is refused, where, and what the pages say.

use super::*;

#[tokio::test]
async fn an_unknown_client_or_address_is_not_redirected() {
    let world = world();
    let elsewhere = format!("{REDIRECT}/");
    for changes in [
        ("client_id", ""),
        ("client_id", "another"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", elsewhere.as_str()),
    ] {
        let answer = world.ask(&[changes]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_REQUEST, ""), "{changes:?}");
        assert!(answer.text.contains("Connexion impossible"));
    }
    let twice = world.get(&format!("/authorize?{}&client_id=facteur-demo", query(&[]))).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_other_error_is_sent_to_the_client() {
    let world = world();
    for (changes, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("response_mode", "form_post"), "invalid_request"),
        (("scope", ""), "invalid_request"),
        (("scope", "openid https://outlook.office.com/IMAP.AccessAsUser.All"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("prompt", "none"), "login_required"),
        (("prompt", "none consent"), "invalid_request"),
        (("prompt", "create"), "invalid_request"),
        (("request", "eyJ"), "request_not_supported"),
        (("request_uri", "https://a.example"), "request_uri_not_supported"),
    ] {
        let answer = world.ask(&[changes]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{changes:?}");
        assert_eq!(answer.returned("error"), error, "{changes:?}");
        assert_eq!((answer.returned("state"), answer.returned("iss")), ("the state".to_owned(), ISSUER.to_owned()));
        assert!(!answer.returned("error_description").is_empty());
    }
    let answer = world.ask(&[("state", "")]).await;
    assert_eq!((answer.returned("error"), answer.returned("state")), ("invalid_request".to_owned(), String::new()));
    let twice = world.get(&format!("/authorize?{}&nonce=other", query(&[]))).await;
    assert_eq!(twice.returned("error"), "invalid_request");
}

#[tokio::test]
async fn the_consent_page_speaks_the_reader_s_language_and_cannot_be_framed() {
    let world = world();
    let page = world.ask(&[]).await;
    assert!(page.text.contains("Envoyer des e-mails depuis votre boîte aux lettres"));
    assert!(page.text.contains("Page de démonstration"));
    assert!(page.text.contains("value=\"boutique@sandbox.example\" checked"));
    assert_eq!(page.text.matches("type=\"radio\"").count(), super::super::personas::PERSONAS.len());
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), value);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("frame-ancestors 'none';"), "{policy}");
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:3000;"),
        "a redirect after a form must pass: {policy}"
    );
    let style = page.text.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")));

    let english = world.ask(&[("ui_locales", "de en-GB fr")]).await;
    assert!(english.text.contains("Send e-mail from your mailbox") && english.text.contains("<html lang=\"en\">"));
    let request = HttpRequest::get(format!("/authorize?{}", query(&[]))).header("accept-language", "en;q=0.9, fr");
    let english = send(world.provider.router(), request.body(Body::empty()).unwrap()).await;
    assert!(english.text.contains("Choose an account"));
}

#[tokio::test]
async fn a_hinted_account_is_preselected() {
    let world = world();
    let page = world.ask(&[("login_hint", "Revoque@sandbox.example"), ("prompt", "select_account consent")]).await;
    assert!(page.text.contains("value=\"revoque@sandbox.example\" checked"));
    assert_eq!(page.text.matches(" checked").count(), 1);
    let unknown = world.ask(&[("login_hint", "claire@shop.example")]).await;
    assert!(unknown.text.contains("value=\"boutique@sandbox.example\" checked"));
}

#[tokio::test]
async fn a_page_decides_once_within_ten_minutes_and_only_itself() {
    let world = world();
    let page = world.ask(&[]).await;
    assert!(!world.decide(&page, "boutique", "accept").await.returned("code").is_empty());
    let again = world.decide(&page, "boutique", "accept").await;
    assert_eq!((again.status, again.header("location")), (StatusCode::BAD_REQUEST, ""));
    let page = world.ask(&[]).await;
    world.wait(601);
    assert_eq!(world.decide(&page, "boutique", "accept").await.status, StatusCode::BAD_REQUEST);
    for origin in [None, Some("null"), Some("http://127.0.0.1:3000")] {
        let mut request = post("/authorize");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = send(world.provider.router(), request.body(form(&[("decision", "accept")])).unwrap()).await;
        assert!(answer.text.contains("vient d’un autre site"), "{origin:?}");
    }
    let cancelled = world.decide(&world.ask(&[]).await, "boutique", "cancel").await;
    assert_eq!(
        (cancelled.returned("error"), cancelled.returned("state")),
        ("access_denied".into(), "the state".into())
    );
}
