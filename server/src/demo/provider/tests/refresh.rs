//! Refresh tokens, and their end.

use super::*;

#[tokio::test]
async fn a_refresh_brings_new_tokens_and_the_old_ones_still_work() {
    let world = world();
    let (access, refresh) = world.sign_in("boutique").await;
    let answer = world.refresh(&refresh).await;
    let (new_access, new_refresh) = tokens(&answer);
    assert!(new_access != access && new_refresh != refresh);
    assert_eq!((world.state(&access), world.state(&new_access)), (valid("boutique"), valid("boutique")));
    tokens(&world.refresh(&refresh).await);
    tokens(&world.refresh(&new_refresh).await);
    assert_eq!(world.provider.refreshes(), 3);
    let payload = answer.json()["id_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["nonce"], Value::Null, "a nonce is for the sign-in only");
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_but_not_for_more() {
    let world = world();
    let (_, refresh) = world.sign_in("boutique").await;
    let with = async |scope: &str| {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("scope", scope)];
        world.post("/token", &pairs).await
    };
    assert_eq!(with("").await.json()["scope"], "https://sandbox.example/SMTP.Send openid email");
    let less = with("email offline_access").await;
    assert_eq!(less.json()["scope"], "email");
    let login = "boutique@sandbox.example".to_owned();
    assert_eq!(world.state(&tokens(&less).0), TokenState::WithoutScope { login });
    assert_eq!(with("profile").await.refusal(), (400, "invalid_grant".to_owned(), 65_001));
    assert_eq!(with("Mail.Read").await.refusal(), (400, "invalid_scope".to_owned(), 70_011));
    assert_eq!(world.refresh("made up").await.refusal(), (400, "invalid_grant".to_owned(), 70_000));
}

#[tokio::test]
async fn access_tokens_end_after_an_hour() {
    let world = world();
    let (access, _) = world.sign_in("boutique").await;
    world.wait(3_599);
    assert_eq!(world.state(&access), valid("boutique"));
    world.wait(1);
    assert_eq!(world.state(&access), TokenState::Expired { login: "boutique@sandbox.example".to_owned() });
    assert_eq!(world.state("made up"), TokenState::Unknown);
    assert_eq!(Tokens::default().login_of(&access), TokenState::Unknown);
}

#[tokio::test]
async fn a_revoked_token_ends_every_permission_of_its_account() {
    let world = world();
    let (first, refresh) = world.sign_in("boutique").await;
    let (second, _) = world.sign_in("boutique").await;
    let (other, other_refresh) = world.sign_in("vieux").await;
    let without = send(world.provider.router(), post("/revoke").body(form(&[("token", &refresh)])).unwrap()).await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST, "the client authenticates here, too");
    let answer = world.post("/revoke", &[("token", &refresh), ("token_type_hint", "refresh_token")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((world.state(&first), world.state(&second)), (TokenState::Revoked, TokenState::Revoked));
    assert_eq!(world.state(&other), valid("vieux"));
    assert_eq!(world.post("/revoke", &[("token", &other)]).await.status, StatusCode::OK);
    assert_eq!(world.refresh(&other_refresh).await.refusal().1, "invalid_grant");
    assert_eq!(world.post("/revoke", &[("token", "made up")]).await.status, StatusCode::OK);
    assert_eq!(world.post("/revoke", &[]).await.refusal().1, "invalid_request");
    let (access, _) = world.sign_in("boutique").await;
    assert_eq!(world.state(&access), valid("boutique"), "signing in again works");
    world.provider.revoke_all("boutique@sandbox.example");
    assert_eq!(world.state(&access), TokenState::Revoked);
}
