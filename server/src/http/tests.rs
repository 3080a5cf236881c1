//! The door, the origins, the headers, and every endpoint with another account's ids.

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

mod embed;
mod ended;
mod malformed;
mod refused;
mod trouble;
mod whose;

const OWN: &str = "https://facteur.exemple";
const PORTAL: &str = "https://portail.exemple";
const SECRET: [u8; 32] = [7; 32];
const NOW: i64 = 1_800_000_000;
const FORM: &str = "application/x-www-form-urlencoded";

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
        keys: vec![PortalKey::shared("k1", &SECRET).unwrap()],
        require_challenge: false,
        theme: app::theme::GivenTheme::default(),
        api_keys: vec![],
        relay: None,
        webhook: None,
    }
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// Where it leads, without the proof of what it says.
    fn location(&self) -> &str {
        self.proved().split("&told=").next().unwrap_or_default()
    }

    /// The same, as the browser follows it.
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
            vault: Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap(),
            submitter: Arc::new(submitter.unwrap()),
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

    /// Saves a profile; its id.
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

#[tokio::test]
async fn the_door_opens_once_and_for_registered_origins_only() {
    let app = TestApp::new().await;
    for origin in ["", "null", "https://evil.exemple", OWN] {
        assert_eq!(app.token_post(&token("martin", "1"), origin).await.status, StatusCode::UNAUTHORIZED, "{origin}");
    }
    let opened = app.token_post(&token("martin", "1"), PORTAL).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["__Host-facteur=", "Path=/", "HttpOnly", "Secure", "SameSite=None", "Partitioned"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let again = app.token_post(&token("martin", "1"), PORTAL).await;
    let nonsense = app.token_post("nonsense", PORTAL).await;
    assert_eq!(
        (again.status, &again.body),
        (StatusCode::UNAUTHORIZED, &nonsense.body),
        "the answer is always the same"
    );
    let empty = app.ask(Request::post("/session").header(header::ORIGIN, PORTAL).body(Body::empty()).unwrap()).await;
    assert_eq!((empty.status, &empty.body), (StatusCode::UNAUTHORIZED, &nonsense.body));
    let in_url = app.get(&format!("/session?token={}", token("martin", "2")), "").await;
    assert_eq!(in_url.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_or_done() {
    let app = TestApp::new().await;
    for cookie in ["", "__Host-facteur=", "__Host-facteur=AAAA", &format!("__Host-facteur={}", "A".repeat(43))] {
        for path in [
            "/sending-mode",
            "/profiles",
            "/profiles/new",
            "/profiles/guide?preset=gmail",
            "/profiles/provider?domain=gmail.com",
        ] {
            assert_eq!(app.get(path, cookie).await.status, StatusCode::UNAUTHORIZED, "{path} {cookie}");
        }
        let answer = app.post("/api/profiles/save", cookie, &form("", "smtp.gmail.com", "abcdefghijklmnop")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        // What was typed can be sent again from the answer; the secret is not in it.
        assert!(answer.body.contains("smtp.gmail.com") && !answer.body.contains("abcdefghijklmnop"), "{}", answer.body);
    }
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let endpoints = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect::<Vec<_>>();
    assert!(endpoints.len() >= 9, "{endpoints:?}");
    for path in endpoints {
        for (site, origin) in [
            (Some("cross-site"), Some("https://evil.exemple")),
            (Some("same-site"), Some(OWN)),
            (Some("cross-site"), None),
            (None, Some("https://evil.exemple")),
            (None, Some("null")),
            (None, None),
        ] {
            for kind in [FORM, "text/plain", "multipart/form-data; boundary=x"] {
                let mut request =
                    Request::post(path).header(header::COOKIE, &cookie).header(header::CONTENT_TYPE, kind);
                if let Some(site) = site {
                    request = request.header("sec-fetch-site", site);
                }
                if let Some(origin) = origin {
                    request = request.header(header::ORIGIN, origin);
                }
                let answer = app.ask(request.body(Body::from(format!("id={id}&mode=own_smtp"))).unwrap()).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {site:?} {origin:?} {kind}");
            }
        }
    }
    assert!(app.get("/profiles", &cookie).await.body.contains(&id), "the profile is still there");
}

#[tokio::test]
async fn another_account_s_profile_does_not_exist() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    let id = app.add(&martin).await;
    for path in ["edit", "encoding", "delete", "report"] {
        let answer = app.get(&format!("/profiles/{path}?id={id}"), &dubois).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let nobody = app.get(&format!("/profiles/{path}?id=00000000-0000-7000-8000-000000000000"), &dubois).await;
        assert_eq!(answer.body.len(), nobody.body.len(), "{path}: no difference to an id that never was");
    }
    // Like a profile that was deleted under its form: what was typed may become a profile of one's own.
    let saved = app.post("/api/profiles/save", &dubois, &form(&id, "smtp.gmail.com", "stolen-stolen")).await;
    assert!(saved.location().ends_with("&notice=was-deleted"), "{}", saved.location());
    let posts = [
        ("/api/profiles/encoding", format!("id={id}&encoding=ISO-8859-1")),
        ("/api/profiles/duplicate", format!("id={id}")),
        ("/api/profiles/use", format!("id={id}")),
        ("/api/profiles/sending", format!("id={id}&sending[per_minute]=1&sending[fallback]=1")),
        ("/api/profiles/delete", format!("id={id}")),
        ("/api/profiles/clean-secret", format!("id={id}")),
        ("/api/test/run", format!("id={id}&to=sender")),
        ("/api/test/mend", format!("id={id}&to=sender&fix=0")),
        ("/api/test/received", format!("id={id}&code=123456")),
        ("/api/test/received", format!("id={id}&code=x")),
    ];
    for (path, body) in posts {
        let answer = app.post(path, &dubois, &body).await;
        assert_eq!(answer.location(), "/profiles?notice=gone", "{path}");
    }
    let stream = app.post("/api/test/stream", &dubois, &format!("id={id}&to=me")).await;
    let nobody = "id=00000000-0000-7000-8000-000000000000&to=me";
    let never = app.post("/api/test/stream", &dubois, nobody).await;
    assert_eq!((stream.status, &stream.body), (StatusCode::NOT_FOUND, &never.body), "no difference");
    assert!(stream.body.contains("\"kind\":\"refused\"") && stream.body.contains("n’existe plus"), "{}", stream.body);
    assert!(!app.get("/profiles", &dubois).await.body.contains(&id));
    let own = app.get("/profiles", &martin).await.body;
    assert!(own.contains(&id) && own.contains("smtp.gmail.com"));
    assert!(app.get(&format!("/profiles/encoding?id={id}"), &martin).await.body.contains("value=\"UTF-8\" checked"));
}

#[tokio::test]
async fn programs_get_codes_and_forms_get_their_page_back() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let as_program = |body: String| {
        let request = Request::post("/api/profiles/save")
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, OWN)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, FORM);
        request.body(Body::from(body)).unwrap()
    };
    let refused = app.ask(as_program(form("", "127.0.0.1", "abcdefghijklmnop"))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("host-not-allowed") && !refused.body.contains("127.0.0.1"), "{}", refused.body);
    let back = app.post("/api/profiles/save", &cookie, &form("", "smtp%3A%2F%2Fx", "abcdefghijklmnop")).await;
    assert!(back.location().starts_with("/profiles/new?form="), "{}", back.location());
    let page = app.get(back.proved(), &cookie).await;
    assert!(page.body.contains("smtp://x") && !page.body.contains("abcdefghijklmnop"));
    let huge = app.post("/api/profiles/save", &cookie, &form("", "smtp.gmail.com", &"x".repeat(70_000))).await;
    assert_ne!(huge.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!huge.location().starts_with("/profiles/encoding"));
}

/// The form as a page has it, with its name.
fn named_form(host: &str) -> String {
    format!("form=form-0001&revision=&{}", form("", host, "abcdefghijklmnop"))
}

#[tokio::test]
async fn a_form_whose_session_has_ended_is_there_again_for_its_person() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    app.later.store(3 * 3_600, Ordering::SeqCst);
    let answer = app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("mail.martin.fr") && !answer.body.contains("abcdefghijklmnop"));
    app.later.store(0, Ordering::SeqCst);
    let stranger = app.sign_in("dubois").await;
    assert!(!app.get("/profiles/new?form=form-0001", &stranger).await.body.contains("mail.martin.fr"));
    let opened = app.token_post(&token("martin", "again"), PORTAL).await;
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(app.get("/profiles", &cookie).await.body.contains("claire@gmail.com"), "it is offered");
    let page = app.get("/profiles/new", &cookie).await;
    assert!(page.body.contains("mail.martin.fr") && !page.body.contains("abcdefghijklmnop"), "{}", page.body);
    // Saved, it is not offered any more.
    app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert!(!app.get("/profiles/new", &cookie).await.body.contains("mail.martin.fr"));
}

#[tokio::test]
async fn a_session_that_was_revoked_keeps_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let who = Person {
        account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
        id: "claire".to_owned(),
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let entry = crate::store::contract::entry(77, 0);
    assert_eq!(app.store.end_sessions(&who.account, None, now, &entry).await.unwrap(), 1);
    let answer = app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(app.store.drafts(&who, Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
}

#[tokio::test]
async fn going_back_finds_what_the_form_made_and_a_stale_form_is_409() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let first = app.post("/api/profiles/save", &cookie, &named_form("smtp.gmail.com")).await;
    let id = first.location().split(['=', '&']).nth(1).unwrap().to_owned();
    let again = app.post("/api/profiles/save", &cookie, &named_form("smtp.gmail.com")).await;
    assert!(again.location().contains(&id), "{}", again.location());
    let back = app.get("/profiles/new?form=form-0001", &cookie).await;
    assert!(back.location().starts_with(&format!("/profiles/edit?id={id}")), "{}", back.location());
    let changed = |revision: &str, name: &str| {
        format!("revision={revision}&{}", form(&id, "smtp.gmail.com", "").replace("=Martin", &format!("={name}")))
    };
    app.post("/api/profiles/save", &cookie, &changed("1", "Premiere")).await;
    let stale = app.post("/api/profiles/save", &cookie, &changed("1", "Seconde")).await;
    assert_eq!(stale.location(), format!("/profiles/edit?id={id}&stale=1"));
    let page = app.get(stale.proved(), &cookie).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains("Premiere") && page.body.contains("Seconde"), "{}", page.body);
    let merge = format!("id={id}&revision=2&take[sender_name]=typed");
    let merged = app.post("/api/profiles/merge", &cookie, &merge).await;
    let page = app.get(merged.proved(), &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Seconde") && page.body.contains("name=\"revision\" value=\"2\""), "{}", page.body);
    app.post("/api/profiles/delete", &cookie, &format!("id={id}&revision=2&heir=none&used=1")).await;
    let orphan = app.post("/api/profiles/save", &cookie, &changed("2", "Troisieme")).await;
    let page = app.get(orphan.proved(), &cookie).await;
    assert!(orphan.location().starts_with("/profiles/new?form=") && page.body.contains("Troisieme"));
}

#[tokio::test]
async fn what_is_typed_is_shown_as_text() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let back = app.post("/api/profiles/save", &cookie, &form("", evil, "")).await;
    let page = app.get(back.proved(), &cookie).await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let notice = app.get("/profiles?notice=%3Cscript%3E&seconds=%3Cscript%3E", &cookie).await;
    assert!(!notice.body.contains("&lt;script") && !notice.body.contains("<script>&"));
}

/// What is linked, posted to, loaded or redirected to in a text.
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
    // The proxy may take the path off, or leave it.
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
async fn the_history_says_who_changed_what_and_nothing_secret() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    assert!(app.get("/history", &martin).await.body.contains("Aucun changement pour le moment"));
    let id = app.add(&martin).await;
    app.post("/api/profiles/save", &martin, &form(&id, "smtp.gmail.com", "autre-secret-16")).await;
    app.post("/api/profiles/encoding", &martin, &format!("id={id}&encoding=ISO-8859-1")).await;
    app.post("/api/sending-mode/save", &martin, "mode=own_smtp").await;
    app.post("/api/profiles/delete", &martin, &format!("id={id}")).await;
    let page = app.get("/history", &martin).await.body;
    let places: Vec<usize> = [
        "Profil et mot de passe supprimés",
        "Mode d’envoi\u{a0}: par vos propres comptes SMTP",
        "Profil modifié\u{a0}: Encodage SMTP",
        "Profil modifié\u{a0}: Mot de passe SMTP",
        "Profil ajouté",
    ]
    .into_iter()
    .map(|text| page.find(text).unwrap_or_else(|| panic!("{text} in {page}")))
    .collect();
    assert!(places.is_sorted(), "the newest first");
    assert!(page.contains("smtp.gmail.com") && !page.contains("secret-16"));
    assert!(!app.get("/history", &dubois).await.body.contains("Profil ajouté"), "another account's history is its own");
}

#[tokio::test]
async fn a_form_with_a_field_that_is_not_known_changes_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let program = async |path: &str, cookie: &str, form: String| {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "application/json")
            .header(header::ORIGIN, OWN)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, FORM);
        app.ask(request.body(Body::from(form)).unwrap()).await
    };
    let martin = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let history = async || app.store.journal(&martin, None, 99).await.unwrap();
    let before = history().await;
    let whole = form(&id, "smtp.autre.fr", "un-autre-secret");
    for (path, sent) in [
        ("/api/profiles/save", format!("{whole}&password=x")),
        ("/api/profiles/save", format!("draft%5Bpassword%5D=x&{whole}")),
        ("/api/profiles/encoding", format!("id={id}&encoding=UTF-8&password=x")),
        ("/api/profiles/sending", format!("id={id}&sending[per_day]=3&sending[password]=x")),
        ("/api/profiles/use", format!("id={id}&password=x")),
        ("/api/profiles/delete", format!("id={id}&password=x")),
        ("/api/sending-mode/save", "mode=own_smtp&password=x".to_owned()),
        ("/api/test/run", format!("id={id}&to=me&password=x")),
        ("/api/test/stream", format!("id={id}&to=me&password=x")),
    ] {
        let answer = program(path, &cookie, sent.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["code"], "unknown_field");
        assert!(problem["field"].as_str().unwrap().contains("password"), "{problem}");
        let refused = app.post(path, &cookie, &sent).await;
        assert_eq!(refused.location(), "/profiles?notice=unknown-field", "{path}");
        let told = app.get(refused.proved(), &cookie).await.body;
        assert!(told.contains("un champ inconnu\u{a0}: rien n’a été modifié"), "{told}");
        let stranger = program(path, "", sent).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "without a session nothing is said of the form");
    }
    assert_eq!(history().await, before, "nothing was done");
    // What our own pages send besides is known.
    assert_eq!(
        app.post("/api/profiles/use", &cookie, &format!("id={id}&to=me")).await.location(),
        format!("/profiles?selected={id}&notice=in-use-later")
    );
    assert_eq!(
        app.post("/api/profiles/fill", &cookie, &whole).await.location(),
        format!("/profiles/edit?id={id}&draft=1")
    );
    assert_eq!(app.post("/api/profiles/save", &cookie, &whole).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_mask_is_refused_in_the_reader_s_language_and_nothing_typed_is_lost() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for mask in
        ["********", "%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2", "null", "undefined", "%5Bobject+Object%5D", "(unchanged)"]
    {
        let answer = app.post("/api/profiles/save", &cookie, &form("", "smtp.gmail.com", mask)).await;
        assert!(answer.location().starts_with("/profiles/new?form="), "{mask}: {}", answer.location());
        let page = app.get(answer.proved(), &cookie).await.body;
        assert!(page.contains("Ce n’est pas un mot de passe") && page.contains("smtp.gmail.com"), "{page}");
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
    // The form leaves it to this answer, and stays small.
    let form = app.get("/profiles/new", &cookie).await;
    assert!(form.body.contains("data-provider=") && !form.body.contains("hotmail.co.uk"));
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_half_a_day_in_any_case() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let after = async |minutes: i64| {
        app.later.store(minutes * 60, Ordering::SeqCst);
        app.get("/profiles", &cookie).await
    };
    for minutes in [59, 118, 170] {
        assert_eq!(after(minutes).await.status, StatusCode::OK, "{minutes}: each visit prolongs it");
    }
    let ended = after(231).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    assert!(ended.body.contains("Votre session est terminée") && ended.body.contains(&format!("href=\"{PORTAL}/")));
    let posted = app.post("/api/sending-mode/save", &cookie, "mode=own_smtp").await;
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);
    assert!(posted.body.contains("value=\"own_smtp\""), "{}", posted.body);

    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for minutes in (30..720).step_by(30) {
        app.later.store(minutes * 60, Ordering::SeqCst);
        assert_eq!(app.get("/profiles", &cookie).await.status, StatusCode::OK, "{minutes}");
    }
    app.later.store(720 * 60, Ordering::SeqCst);
    assert_eq!(app.get("/profiles", &cookie).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_profile_of_somebody_who_left_does_not_change_hands_unseen() {
    let app = TestApp::new().await;
    let open = async |jti: &str, users| {
        let answer = app.token_post(&token_with("martin", jti, &users), PORTAL).await;
        answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let before = open("before", json!([{ "id": "karim", "name": "Karim" }])).await;
    let karim = |id: &str| form(id, "smtp.gmail.com", "").replace("draft[user]=", "draft[user]=karim");
    let saved = app.post("/api/profiles/save", &before, &karim("").replace("secret=", "secret=abcdefghijklmnop")).await;
    let id = saved.location().split(['=', '&']).nth(1).unwrap().to_owned();
    let after = open("after", json!([])).await;
    let page = app.get(&format!("/profiles/edit?id={id}"), &after).await;
    assert!(page.body.contains("value=\"karim\" selected"), "{}", page.body);
    let refused = app.post("/api/profiles/save", &after, &karim(&id)).await;
    assert_eq!(refused.location(), format!("/profiles/edit?id={id}&draft=1"));
}
