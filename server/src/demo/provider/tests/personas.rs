//! Each account, as it says.

use std::time::Duration;

use super::*;

async fn declined(world: &World, persona: &str) -> (String, String) {
    let page = world.ask(&[]).await;
    let answer = world.decide(&page, persona, "accept").await;
    assert_eq!((answer.returned("code"), answer.returned("state")), (String::new(), "the state".to_owned()));
    (answer.returned("error"), answer.returned("error_description"))
}

#[tokio::test]
async fn some_accounts_do_not_sign_in() {
    let world = world();
    let (error, description) = declined(&world, "refuse").await;
    assert_eq!(error, "access_denied");
    assert!(description.starts_with("AADSTS65004:"));
    let (error, description) = declined(&world, "admin").await;
    assert_eq!(error, "access_denied");
    assert!(description.starts_with("AADSTS90094:"), "{description}");
    assert_eq!(declined(&world, "unknown").await.0, "access_denied");
}

#[tokio::test]
async fn the_administrator_allows_the_application() {
    let world = world();
    let page = world.get("/adminconsent?client_id=facteur-demo&ui_locales=en").await;
    assert!(page.text.contains("Allow an application") && page.status == StatusCode::OK);
    assert_eq!(world.get("/adminconsent?client_id=other").await.status, StatusCode::BAD_REQUEST);
    let press = async |decision: &str, origin: &str| {
        let body = form(&[("client_id", "facteur-demo"), ("locale", "en"), ("decision", decision)]);
        send(world.provider.router(), post("/adminconsent").header("origin", origin).body(body).unwrap()).await
    };
    assert_eq!(press("accept", "https://evil.example").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(declined(&world, "admin").await.0, "access_denied");
    assert!(press("accept", ISSUER).await.text.contains("The application is allowed."));
    let (access, _) = world.sign_in("admin").await;
    assert_eq!(world.state(&access), valid("admin"));
    assert!(press("withdraw", ISSUER).await.text.contains("you allow it for every account"));
    assert_eq!(declined(&world, "admin").await.0, "access_denied");
}

#[tokio::test]
async fn some_accounts_sign_in_and_are_not_refreshed() {
    let world = world();
    for (persona, expected) in [
        ("mfa", (400, "interaction_required".to_owned(), 50_076)),
        ("client-mort", (401, "invalid_client".to_owned(), 7_000_222)),
    ] {
        let (access, refresh) = world.sign_in(persona).await;
        assert_eq!(world.state(&access), valid(persona));
        assert_eq!(world.refresh(&refresh).await.refusal(), expected);
        assert_eq!(world.refresh(&refresh).await.refusal(), expected);
    }
    let (_, refresh) = world.sign_in("html").await;
    let page = world.refresh(&refresh).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
}

#[tokio::test]
async fn the_endpoint_is_down_for_two_refreshes() {
    let world = world();
    let (_, refresh) = world.sign_in("panne").await;
    for _ in 0..2 {
        let answer = world.refresh(&refresh).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "30"));
        assert_eq!(answer.refusal().1, "temporarily_unavailable");
    }
    tokens(&world.refresh(&refresh).await);
    assert_eq!(world.provider.refreshes(), 3);
}

#[tokio::test]
async fn a_rotated_token_works_once() {
    let world = world();
    let (_, first) = world.sign_in("rotation").await;
    let (access, second) = tokens(&world.refresh(&first).await);
    assert_eq!(world.refresh(&first).await.refusal(), (400, "invalid_grant".to_owned(), 70_000));
    assert_eq!(world.refresh(&second).await.refusal().1, "invalid_grant", "the whole permission has ended");
    assert_eq!(world.state(&access), TokenState::Revoked);
}

#[tokio::test(start_paused = true)]
async fn the_slow_endpoint_answers_after_twenty_seconds() {
    let world = world();
    let code = world.code("lent").await;
    let before = tokio::time::Instant::now();
    let (_, refresh) = tokens(&world.redeem(&code, VERIFIER).await);
    assert_eq!(before.elapsed().as_secs(), 20);
    tokens(&world.refresh(&refresh).await);
    assert_eq!(before.elapsed().as_secs(), Duration::from_secs(40).as_secs());
}

#[tokio::test]
async fn some_accounts_get_other_tokens() {
    let world = world();
    let answer = world.redeem(&world.code("sans-scope").await, VERIFIER).await;
    assert_eq!(answer.json()["scope"], "openid email");
    let login = "sans-scope@sandbox.example".to_owned();
    assert_eq!(world.state(&tokens(&answer).0), TokenState::WithoutScope { login });

    let answer = world.redeem(&world.code("vieux").await, VERIFIER).await;
    assert_eq!(answer.json()["expires_in"], 60);
    world.wait(60);
    assert!(matches!(world.state(&tokens(&answer).0), TokenState::Expired { .. }));

    let answer = world.redeem(&world.code("autre-compte").await, VERIFIER).await;
    let payload = answer.json()["id_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["email"], "contact@sandbox.example");
    assert_eq!(world.state(&tokens(&answer).0), valid("contact"));
}

#[tokio::test]
async fn the_permission_ends_after_the_first_mail() {
    let world = world();
    let (access, refresh) = world.sign_in("revoque").await;
    let (other, _) = world.sign_in("boutique").await;
    tokens(&world.refresh(&refresh).await);
    world.provider.tokens().mail_accepted("boutique@sandbox.example");
    world.provider.tokens().mail_accepted("revoque@sandbox.example");
    assert_eq!((world.state(&access), world.state(&other)), (TokenState::Revoked, valid("boutique")));
    assert_eq!(world.refresh(&refresh).await.refusal(), (400, "invalid_grant".to_owned(), 50_173));
}
