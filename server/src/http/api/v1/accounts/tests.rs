use axum::http::StatusCode;
use serde_json::json;

use super::*;
use crate::outbox::tests::Post;

#[tokio::test]
async fn an_account_shows_how_it_sends_and_no_secret() {
    let post = Post::new().await;
    let (status, unknown) = post.get("/api/v1/accounts/never-opened").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(unknown, json!({ "account": "never-opened", "mode": "portal", "profiles": [] }));
    let id = post.profile("martin", "boutique").await;
    let (status, account) = post.get("/api/v1/accounts/martin").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(account["mode"], "own_smtp");
    let shown = &account["profiles"][0];
    assert_eq!(shown["id"], id.to_string());
    let credential = &shown["credential"];
    assert_eq!((&credential["kind"], &credential["state"]), (&json!("password"), &json!("stored")));
    assert!(credential["since"].is_string() && credential.get("provider").is_none(), "{credential}");
    assert_eq!((&shown["test"]["state"], &shown["sending"]["state"]), (&json!("never"), &json!("unknown")));
    assert!(!account.to_string().to_lowercase().contains("secret"), "{account}");
    for wrong in ["%ff", "%0a", &"a".repeat(257)] {
        let (status, problem) = post.get(&format!("/api/v1/accounts/{wrong}")).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{wrong}");
    }
}

#[tokio::test]
async fn a_sign_in_shows_who_signed_in_and_why_it_ended() {
    let world = crate::oauth::tests::World::new().await;
    let id = world.profile("boutique").await;
    let shown = world.shown(id).await;
    let view = serde_json::to_value(credential(&shown)).unwrap();
    assert_eq!((&view["kind"], &view["state"]), (&json!("sign_in"), &json!("stored")));
    assert_eq!((&view["provider"], &view["identity"]), (&json!("Sandbox"), &json!("boutique@sandbox.example")));
    world.provider.revoke_all("boutique@sandbox.example");
    world.wait(3_600);
    world.access(id).await.unwrap_err();
    let view = serde_json::to_value(credential(&world.shown(id).await)).unwrap();
    assert_eq!((&view["state"], &view["cause"]), (&json!("ended"), &json!("oauth_reconnect")));
    assert!(view["provider_code"].as_str().unwrap().starts_with("AADSTS"), "{view}");
}
