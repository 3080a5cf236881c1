//! A client of the provider: requests, pages, buttons. Other tests use [`press`], too.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request as HttpRequest, StatusCode},
};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::*;

mod authorize;
mod personas;
mod refresh;
mod sandbox;
mod sign_in;

pub(super) const ISSUER: &str = "http://127.0.0.1:5000";
pub(super) const REDIRECT: &str = "http://127.0.0.1:3000/oauth/callback/sandbox";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const SCOPE: &str = "https://sandbox.example/SMTP.Send openid email offline_access";
const SECRET: &str = "a secret: with+signs %";
const START: i64 = 1_800_000_000;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// A parameter of the address that the browser is sent to.
    pub(super) fn returned(&self, name: &str) -> String {
        let location = self.header("location");
        assert!(location.starts_with(REDIRECT), "{location} {}", self.text);
        let query = location.split_once('?').unwrap().1;
        let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// The error and the number of a refused token request.
    pub(super) fn refusal(&self) -> (u16, String, u64) {
        let body = self.json();
        assert_eq!(self.header("cache-control"), "no-store");
        for member in ["error_description", "timestamp", "trace_id", "correlation_id"] {
            assert!(body[member].is_string(), "{body}");
        }
        (self.status.as_u16(), body["error"].as_str().unwrap().to_owned(), body["error_codes"][0].as_u64().unwrap())
    }
}

/// A provider whose clock is moved by hand.
pub(super) struct World {
    pub provider: Provider,
    now: Arc<AtomicI64>,
}

pub(super) fn world() -> World {
    let now = Arc::new(AtomicI64::new(START));
    let shown = now.clone();
    let provider = Provider::new(ProviderOptions {
        public_url: ISSUER.to_owned(),
        client_id: "facteur-demo".to_owned(),
        client_secret: SecretString::from(SECRET),
        redirect_uris: vec![REDIRECT.to_owned()],
        clock: Arc::new(move || Timestamp::from_second(shown.load(Ordering::Relaxed)).unwrap()),
    });
    World { provider: provider.unwrap(), now }
}

async fn send(router: Router, request: HttpRequest<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, text }
}

fn form(pairs: &[(&str, &str)]) -> Body {
    Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

fn post(path: &str) -> axum::http::request::Builder {
    HttpRequest::post(path).header("content-type", "application/x-www-form-urlencoded")
}

/// Opens an authorization URL, chooses an account, accepts; the address that the browser is sent to.
pub(crate) async fn press(router: &Router, url: &str, persona: &str) -> String {
    let path = url.find("/authorize").map_or(url, |at| &url[at..]);
    let page = send(router.clone(), HttpRequest::get(path).body(Body::empty()).unwrap()).await;
    let request = page.text.split("name=\"request\" value=\"").nth(1).expect(&page.text).split('"').next().unwrap();
    let fields = [("request", request), ("account", &format!("{persona}@sandbox.example")), ("decision", "accept")];
    // The page's own origin: the authority of the issuer that the provider was made with.
    let origin = url.find("/authorize").map_or("", |at| &url[..at]);
    let origin = if origin.is_empty() { ISSUER } else { origin };
    let answer = send(router.clone(), post("/authorize").header("origin", origin).body(form(&fields)).unwrap()).await;
    answer.header("location").to_owned()
}

impl World {
    pub(super) fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        send(self.provider.router(), HttpRequest::get(path).body(Body::empty()).unwrap()).await
    }

    /// `GET /authorize` with changed parameters; an empty one is left out.
    pub(super) async fn ask(&self, changes: &[(&str, &str)]) -> Answer {
        self.get(&format!("/authorize?{}", query(changes))).await
    }

    /// `POST /authorize` with the request id of a page.
    pub(super) async fn decide(&self, page: &Answer, account: &str, decision: &str) -> Answer {
        let request = page.text.split("name=\"request\" value=\"").nth(1).expect(&page.text).split('"').next().unwrap();
        let account = format!("{account}@sandbox.example");
        let fields = [("request", request), ("account", &account), ("decision", decision)];
        let request = post("/authorize").header("origin", ISSUER).body(form(&fields)).unwrap();
        send(self.provider.router(), request).await
    }

    /// A code for an account.
    pub(super) async fn code(&self, persona: &str) -> String {
        let page = self.ask(&[]).await;
        self.decide(&page, persona, "accept").await.returned("code")
    }

    /// `POST path` with the client's secret in the body.
    pub(super) async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let client = [("client_id", "facteur-demo"), ("client_secret", SECRET)];
        let pairs: Vec<_> = client.iter().chain(pairs).copied().collect();
        send(self.provider.router(), post(path).body(form(&pairs)).unwrap()).await
    }

    pub(super) async fn redeem(&self, code: &str, verifier: &str) -> Answer {
        let grant = ("grant_type", "authorization_code");
        self.post("/token", &[grant, ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", verifier)]).await
    }

    pub(super) async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", SCOPE)]).await
    }

    /// The tokens of an account that signs in: access and refresh.
    pub(super) async fn sign_in(&self, persona: &str) -> (String, String) {
        tokens(&self.redeem(&self.code(persona).await, VERIFIER).await)
    }

    pub(super) fn state(&self, access: &str) -> TokenState {
        self.provider.tokens().login_of(access)
    }
}

pub(super) fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let token = |name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
    (token("access_token"), token("refresh_token"))
}

pub(super) fn valid(login: &str) -> TokenState {
    TokenState::Valid { login: format!("{login}@sandbox.example") }
}

/// The query of an authorization request.
pub(super) fn query(changes: &[(&str, &str)]) -> String {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut pairs = vec![
        ("client_id", "facteur-demo"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
