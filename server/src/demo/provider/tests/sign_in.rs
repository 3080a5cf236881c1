//! The whole way: a code with PKCE, the tokens, and the ID token's signature.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};

use super::*;

/// Verifies an ID token as a client does: by discovery and the key set.
async fn claims(world: &World, token: &str) -> Value {
    let document = world.get("/.well-known/openid-configuration").await;
    let issuer = document.json()["issuer"].as_str().unwrap().to_owned();
    let keys = document.json()["jwks_uri"].as_str().unwrap().strip_prefix(&issuer).unwrap().to_owned();
    let keys = world.get(&keys).await;
    assert_eq!(keys.header("cache-control"), "public, max-age=3600");
    let keys: JwkSet = serde_json::from_str(&keys.text).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&["facteur-demo"]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn a_code_becomes_tokens_and_an_id_token_that_verifies() {
    let world = world();
    let page = world.ask(&[]).await;
    let back = world.decide(&page, "boutique", "accept").await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    assert_eq!((back.returned("state"), back.returned("iss")), ("the state".to_owned(), ISSUER.to_owned()));
    let answer = world.redeem(&back.returned("code"), VERIFIER).await;
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &3_600.into()));
    assert_eq!(body["scope"], "https://sandbox.example/SMTP.Send openid email");
    let (access, refresh) = tokens(&answer);
    assert_eq!((access.len(), world.state(&access)), (1_800, valid("boutique")));
    assert_ne!(refresh, "");
    let claims = claims(&world, body["id_token"].as_str().unwrap()).await;
    assert_eq!((&claims["nonce"], &claims["email_verified"]), (&"the nonce".into(), &true.into()));
    assert_eq!((&claims["email"], &claims["preferred_username"]), (&claims["preferred_username"], &claims["email"]));
    assert_eq!((&claims["email"], &claims["iat"]), (&"boutique@sandbox.example".into(), &START.into()));
    assert!(claims["sub"].is_string() && claims["tid"].is_string());
}

#[tokio::test]
async fn the_wrong_verifier_address_or_moment_opens_nothing() {
    let world = world();
    let refused = |code: u64| (400, "invalid_grant".to_owned(), code);
    let code = world.code("boutique").await;
    assert_eq!(world.redeem(&code, &VERIFIER.replace('d', "e")).await.refusal(), refused(501_481));
    assert_eq!(world.redeem(&code, VERIFIER).await.refusal(), refused(54_005), "the code is spent");
    assert_eq!(world.redeem(&world.code("boutique").await, "").await.refusal(), refused(501_481));
    let code = world.code("boutique").await;
    let grant = ("grant_type", "authorization_code");
    let elsewhere = [grant, ("code", &code), ("redirect_uri", "https://a.example"), ("code_verifier", VERIFIER)];
    assert_eq!(world.post("/token", &elsewhere).await.refusal(), refused(500_112));
    let code = world.code("boutique").await;
    world.wait(60);
    assert_eq!(world.redeem(&code, VERIFIER).await.refusal(), refused(70_008));
    assert_eq!(world.redeem("made up", VERIFIER).await.refusal(), refused(70_000));
}

#[tokio::test]
async fn a_code_used_twice_ends_what_it_opened() {
    let world = world();
    let code = world.code("boutique").await;
    let (access, refresh) = tokens(&world.redeem(&code, VERIFIER).await);
    assert_eq!(world.redeem(&code, VERIFIER).await.refusal().1, "invalid_grant");
    assert_eq!(world.state(&access), TokenState::Revoked);
    assert_eq!(world.refresh(&refresh).await.refusal(), (400, "invalid_grant".to_owned(), 50_173));
}

#[tokio::test]
async fn the_client_authenticates_in_the_body_or_the_header() {
    let world = world();
    let code = world.code("boutique").await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let with = async |credentials: &str, body: Body| {
        let header = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(credentials));
        send(world.provider.router(), post("/token").header("authorization", header).body(body).unwrap()).await
    };
    let wrong = with("facteur-demo:wrong", form(&pairs)).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client".to_owned(), 7_000_215));
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    assert_eq!(with("other:wrong", form(&pairs)).await.refusal().2, 700_016);
    let right = with("facteur-demo:a+secret%3A+with%2Bsigns+%25", form(&pairs)).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.text);
    let without = send(world.provider.router(), post("/token").body(form(&pairs)).unwrap()).await;
    assert_eq!(without.refusal(), (400, "invalid_request".to_owned(), 900_144));
    let json = HttpRequest::post("/token").header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(send(world.provider.router(), json).await.refusal().1, "invalid_request");
    assert_eq!(world.post("/token", &[("grant_type", "password")]).await.refusal().1, "unsupported_grant_type");
    assert_eq!(world.post("/token", &[]).await.refusal().2, 900_144);
    assert_eq!(world.post("/token", &[("code", "a"), ("code", "b")]).await.refusal().1, "invalid_request");
}

#[tokio::test]
async fn without_openid_or_offline_access_there_is_neither_token() {
    let world = world();
    let sign_in = async |changes: &[(&str, &str)]| {
        let back = world.decide(&world.ask(changes).await, "boutique", "accept").await;
        world.redeem(&back.returned("code"), VERIFIER).await.json()
    };
    let body = sign_in(&[("scope", MAIL_SCOPE)]).await;
    assert_eq!((&body["id_token"], &body["refresh_token"]), (&Value::Null, &Value::Null));
    let body = sign_in(&[("scope", MAIL_SCOPE), ("access_type", "offline")]).await;
    assert!(body["refresh_token"].is_string(), "as at Google");
}

#[tokio::test]
async fn other_tests_sign_in_with_one_call() {
    let world = world();
    let url = format!("{ISSUER}/authorize?{}", query(&[]));
    let location = press(&world.provider.router(), &url, "boutique").await;
    assert!(location.starts_with(&format!("{REDIRECT}?code=")), "{location}");
    let (id, secret, issuer) = world.provider.client();
    assert_eq!((id.as_str(), issuer.as_str()), ("facteur-demo", ISSUER));
    assert_eq!(secrecy::ExposeSecret::expose_secret(&secret), SECRET);
}
