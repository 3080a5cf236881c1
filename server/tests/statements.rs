//! How many statements a page of the list, and one of the API's messages, needs: the same for fifty rows as for one. A
//! program of its own, with one test, because it counts every statement of the process.
#![allow(clippy::unwrap_used, reason = "clippy recognises only functions with #[test] as tests")]

use std::sync::Arc;

use app::{base_path::BasePath, profile::preset::Catalogue};
use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mail::{
    net::Policy,
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use serde_json::json;
use server::{
    Parts, application,
    credentials::{Vault, VaultKey},
    http::BodyBudget,
    outbox::OutboxOptions,
    portal::{ApiKey, Portal, PortalKey},
    store::sqlite::SqliteStore,
    test_runs::TestQuota,
};
use sha2::{Digest, Sha256};
use sqlx::{Connection, SqliteConnection};
use tower::ServiceExt;

mod counted;

use counted::Statements;

const OWN: &str = "https://facteur.exemple";
const PORTAL: &str = "https://portail.exemple";
const SECRET: [u8; 32] = [7; 32];
const NOW: i64 = 1_800_000_000;
const FORM: &str = "application/x-www-form-urlencoded";

#[allow(clippy::too_many_lines, reason = "one test, from the request to the count")]
#[tokio::test]
async fn a_page_costs_as_many_statements_for_fifty_rows_as_for_one() {
    let statements = Statements::of_this_process();
    let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("facteur.db");
    let store = Arc::new(SqliteStore::open(&file).await.unwrap());
    let submitter = Submitter::new(SubmitterOptions {
        policy: Policy::default(),
        ehlo_name: EhloName::parse("facteur.exemple").unwrap(),
        extra_roots: vec![],
        system_roots: true,
        limits: Limits::default(),
        control: None,
    });
    let portal = Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![PORTAL.to_owned()],
        home: None,
        time_zone: None,
        keys: vec![PortalKey::shared("k1", &SECRET).unwrap()],
        require_challenge: false,
        theme: app::theme::GivenTheme::default(),
        api_keys: vec![ApiKey { id: "a".to_owned(), hash: Sha256::digest(b"fct_counts").into() }],
        relay: None,
        webhook: None,
    };
    let router = application(Parts {
        public_origin: OWN.to_owned(),
        base_path: BasePath(String::new()),
        portals: vec![portal],
        store,
        replicas: server::replicas::Replicas::alone(),
        vault: Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap(),
        submitter: Arc::new(submitter.unwrap()),
        clients: server::oauth::Clients::default(),
        presets: Arc::new(Catalogue::builtin()),
        quota: TestQuota::default(),
        most_profiles: 100,
        outbox: OutboxOptions::default(),
        bodies: BodyBudget::default(),
        clock: Arc::new(|| Timestamp::from_second(NOW).unwrap()),
    })
    .router;
    let ask = async |request: Request<Body>| router.clone().oneshot(request).await.unwrap();
    let claims = json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": NOW, "exp": NOW + 120, "jti": "1",
        "account": { "id": "martin", "name": "Martin" }, "email": "claire@exemple.fr",
    });
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET)).unwrap();
    let open = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, FORM);
    let opened = ask(open.body(Body::from(format!("token={token}"))).unwrap()).await;
    let cookie = opened.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();

    let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let mut pages = Vec::new();
    for count in [1, 30] {
        for number in 0..count {
            let save = Request::post("/api/profiles/save")
                .header(header::COOKIE, &cookie)
                .header(header::ORIGIN, OWN)
                .header(header::CONTENT_TYPE, FORM);
            let form = format!(
                "draft[host]=smtp{number}.exemple.fr&draft[port]=465&draft[security]=tls&draft[login]=claire%40exemple.fr&\
                 draft[sender_name]=M&secret=tres-bien-garde"
            );
            let saved = ask(save.body(Body::from(form)).unwrap()).await;
            assert!(saved.status().is_success(), "{}", saved.status());
        }
        // Each one waits in a lane of its own, has been tried, and its profile has failures.
        sqlx::raw_sql(
            "UPDATE profile SET failures = 3, broken_at = 1, failed_at = 1, failed_cause = 'timeout', failing_cause = 'timeout';
             INSERT OR IGNORE INTO message (id, portal, account, user, lane, request_hash, message_id, subject, size,
                 recipients, state, created_at, updated_at, expires_at, next_at)
                 SELECT id, portal, account, id, portal || char(31) || account || char(31) || id, x'00', 'm', 's', 1, '[]',
                     'queued', 1, 1, 2, 1
                 FROM profile;",
        )
        .execute(&mut database)
        .await
        .unwrap();
        statements.take();
        let list = Request::get("/profiles").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
        let list = ask(list).await;
        assert_eq!(list.status(), 200);
        let body = to_bytes(list.into_body(), usize::MAX).await.unwrap();
        let listed = statements.take();
        let api = Request::get("/api/v1/messages?account=martin&limit=200")
            .header(header::AUTHORIZATION, "Bearer fct_counts")
            .body(Body::empty())
            .unwrap();
        let api = ask(api).await;
        assert_eq!(api.status(), 200);
        let messages: serde_json::Value =
            serde_json::from_slice(&to_bytes(api.into_body(), usize::MAX).await.unwrap()).unwrap();
        let asked = statements.take();
        pages.push((messages["messages"].as_array().unwrap().len(), listed.len(), asked.len()));
        let rows = String::from_utf8_lossy(&body).matches("class=\"profile\"").count();
        assert_eq!(rows, messages["messages"].as_array().unwrap().len());
        assert_eq!(listed.iter().filter(|text| text.contains("last_failure")).count(), 1, "{listed:#?}");
        assert_eq!(asked.len(), 1, "{asked:#?}");
    }
    let [(few, list_few, _), (many, list_many, _)] = pages[..] else { panic!("two pages") };
    assert_eq!((few, many), (1, 31));
    assert_eq!(list_few, list_many, "the list");
    assert!(list_few > 0, "statements are counted");
    std::fs::remove_dir_all(&folder).unwrap();
}
