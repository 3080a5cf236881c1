//! An application on an empty store, as browsers and portals use it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use app::{
    base_path::BasePath,
    profile::preset::Catalogue,
    session::{AccountId, Person},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mail::{
    net::Policy,
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    Parts, application,
    credentials::{Vault, VaultKey},
    outbox::OutboxOptions,
    portal::{Portal, PortalKey},
    store::{aggregates::*, sqlite::SqliteStore},
    test_runs::TestQuota,
};

mod accounts;
mod ended;
mod forms;
mod frame;
mod malformed;
mod other_account;
mod pages;
mod programs;
mod refused;
mod renewal;
mod revocation;
mod session;
mod sign_ins;
mod unavailable;

const OWN: &str = "https://facteur.exemple";
const PORTAL: &str = "https://portail.exemple";
const SECRET: [u8; 32] = [7; 32];
const NOW: i64 = 1_800_000_000;
const FORM: &str = "application/x-www-form-urlencoded";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application on an empty store, at a fixed date that a test can move.
struct TestApp {
    base_path: String,
    router: Router,
    store: Arc<SqliteStore>,
    /// Seconds after the fixed date.
    later: Arc<AtomicI64>,
}

fn portal() -> Portal {
    Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![PORTAL.to_owned()],
        home: Some(format!("{PORTAL}/")),
        time_zone: None,
        keys: vec![PortalKey::shared("k1", &SECRET).unwrap()],
        require_challenge: false,
        theme: app::theme::GivenTheme::default(),
        api_keys: vec![],
        relay: None,
        webhook: None,
    }
}

/// A response.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The redirect's target, without the proof.
    fn location(&self) -> &str {
        self.proved().split("&told=").next().unwrap_or_default()
    }

    /// The same with the proof, as the browser follows it.
    fn proved(&self) -> &str {
        self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl TestApp {
    async fn new() -> Self {
        Self::at("").await
    }

    /// An application whose pages are under `base_path`.
    async fn at(base_path: &str) -> Self {
        Self::of(base_path, vec![portal()]).await
    }

    async fn of(base_path: &str, portals: Vec<Portal>) -> Self {
        Self::on(SqliteStore::in_memory().await.unwrap(), base_path, portals)
    }

    fn on(store: SqliteStore, base_path: &str, portals: Vec<Portal>) -> Self {
        let store = Arc::new(store);
        let later = Arc::new(AtomicI64::new(0));
        let clock = later.clone();
        let submitter = Submitter::new(SubmitterOptions {
            policy: Policy::default(),
            ehlo_name: EhloName::parse("facteur.exemple").unwrap(),
            extra_roots: vec![],
            system_roots: true,
            limits: Limits::default(),
            control: None,
        });
        let application = application(Parts {
            public_origin: OWN.to_owned(),
            base_path: BasePath(base_path.to_owned()),
            portals,
            store: store.clone(),
            replicas: crate::replicas::Replicas::alone(),
            vault: Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap(),
            submitter: Arc::new(submitter.unwrap()),
            clients: sign_ins::clients(),
            presets: Arc::new(Catalogue::builtin()),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: OutboxOptions::default(),
            bodies: crate::http::BodyBudget::default(),
            clock: Arc::new(move || Timestamp::from_second(NOW + clock.load(Ordering::SeqCst)).unwrap()),
        });
        Self { router: application.router, store, later, base_path: base_path.to_owned() }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, cookie).header(header::ACCEPT, "text/html");
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// A native form post from our own page.
    async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, OWN)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, FORM);
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn token_post(&self, token: &str, origin: &str) -> Answer {
        let request = Request::post("/session").header(header::ORIGIN, origin).header(header::CONTENT_TYPE, FORM);
        self.ask(request.body(Body::from(format!("token={token}"))).unwrap()).await
    }

    /// The cookie of a session of `account`.
    async fn sign_in(&self, account: &str) -> String {
        let answer = self.token_post(&token(account, &format!("jti-{account}")), PORTAL).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, format!("{}/profiles", self.base_path).as_str())
        );
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Saves a profile, and returns its id.
    async fn add(&self, cookie: &str) -> String {
        let answer = self.post("/api/profiles/save", cookie, &form("", "smtp.gmail.com", "abcdefghijklmnop")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let id = answer.location().split(['=', '&']).nth(1).unwrap().to_owned();
        assert_eq!(id.len(), 36, "{}", answer.location());
        id
    }
}

fn token(account: &str, jti: &str) -> String {
    token_with(account, jti, &json!([]))
}

fn token_with(account: &str, jti: &str, users: &serde_json::Value) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": NOW, "exp": NOW + 120, "jti": jti,
        "account": { "id": account, "name": account }, "email": "claire@exemple.fr", "locale": "fr",
        "users": users, "page": "profiles",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

fn form(id: &str, host: &str, secret: &str) -> String {
    format!(
        "id={id}&draft[preset]=&draft[host]={host}&draft[port]=465&draft[security]=tls&draft[user]=\
         &draft[login]=claire%40gmail.com&draft[sender_name]=Martin&draft[sender_address]=&draft[reply_to]=&secret={secret}"
    )
}

impl TestApp {
    async fn renew(&self, cookie: &str, token: &str) -> Answer {
        self.post("/session/renew", cookie, &format!("token={token}")).await
    }

    /// As a portal's server sends it: no origin, no cookie.
    async fn revoke(&self, token: &str, body: &str) -> Answer {
        let request = Request::post("/api/v1/sessions/revoke").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn open(&self, account: &str, person: &str, jti: &str) -> String {
        let answer = self.token_post(&token_of(account, person, jti), PORTAL).await;
        answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn is_open(&self, cookie: &str) -> bool {
        self.get("/profiles", cookie).await.status == StatusCode::OK
    }

    /// A page requested in a frame.
    async fn framed(&self, path: &str, cookie: &str) -> String {
        let request = Request::get(path).header(header::COOKIE, cookie).header("sec-fetch-dest", "iframe");
        self.ask(request.body(Body::empty()).unwrap()).await.body
    }

    fn later(&self, minutes: i64) {
        self.later.store(minutes * 60, Ordering::SeqCst);
    }

    /// A token signed now, which may be later than the fixed date.
    fn fresh(&self, account: &str, person: &str, jti: &str) -> String {
        signed(account, person, jti, NOW + self.later.load(Ordering::SeqCst))
    }
}

fn token_of(account: &str, person: &str, jti: &str) -> String {
    signed(account, person, jti, NOW)
}

fn signed(account: &str, person: &str, jti: &str, now: i64) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": person, "iat": now, "exp": now + 120, "jti": jti,
        "account": { "id": account, "name": account }, "email": "claire@exemple.fr", "locale": "fr", "page": "profiles",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

/// The form as a page sends it, with its name.
fn named_form(host: &str) -> String {
    format!("form=form-0001&revision=&{}", form("", host, "abcdefghijklmnop"))
}

/// A token of claire's that only the page with [`VERIFIER`] can use.
fn with_challenge(jti: &str) -> String {
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": NOW, "exp": NOW + 120, "jti": jti,
        "account": { "id": "martin", "name": "martin" }, "email": "claire@exemple.fr",
        "challenge": CHALLENGE,
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}
