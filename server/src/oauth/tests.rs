//! Grants of the demo's provider, over real connections: sign-in, refresh, and every way in which a refresh fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use app::{
    diagnosis::cause::Cause,
    journal::model::Author,
    profile::{
        address::EmailAddress,
        model::{ProfileId, Settings},
        port::Target,
    },
    services::Clock,
    session::{AccountId, User},
};
use jiff::Timestamp;
use mail::net::{Network, Policy};

use super::{
    access::ProviderAccess,
    id_token::IdTokenError,
    keeper::Keeper,
    token_endpoint::{Request, authorization_url, exchange},
    *,
};
use crate::{
    credentials::{Vault, VaultKey},
    demo::{
        provider::{Provider, ProviderOptions, tests::press},
        registration::{PROVIDER_HOST, client},
        sandbox::DOMAIN,
    },
    metrics::Metrics,
    profiles::{Connection, ProfileService},
    replicas::Replicas,
    store::{ProfileRow, aggregates::*, sqlite::SqliteStore},
};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OWN: &str = "http://127.0.0.1:3000";

fn martin() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

/// A provider that listens, and profiles that sign in there.
struct World {
    provider: Provider,
    client: Arc<Client>,
    access: ProviderAccess,
    tokens: AccessTokens,
    profiles: ProfileService,
    store: Arc<SqliteStore>,
    now: Arc<AtomicI64>,
}

impl World {
    async fn new() -> Self {
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let shown = now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_second(shown.load(Ordering::SeqCst)).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Provider::new(ProviderOptions {
            public_url: format!("http://{}", listener.local_addr().unwrap()),
            client_id: "facteur".to_owned(),
            client_secret: secrecy::SecretString::from("a secret"),
            redirect_uris: vec![format!("{OWN}/oauth/callback/sandbox")],
            clock: clock.clone(),
        })
        .unwrap();
        let router = provider.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut policy = Policy::default();
        policy.static_addresses.push((format!("*.{DOMAIN}"), vec![[127, 0, 0, 1].into()]));
        policy.plaintext_hosts.push(PROVIDER_HOST.to_owned());
        let access = ProviderAccess::new(&Arc::new(Network::new(policy.clone(), true, &[]).unwrap()), &clock);
        let client = Arc::new(client(&provider, 465, OWN));
        let store = Arc::new(SqliteStore::in_memory().await.unwrap());
        let vault = Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap();
        let tokens = AccessTokens::new(AccessParts {
            store: store.clone(),
            vault: vault.clone(),
            clients: Clients(vec![client.clone()]),
            provider: access.clone(),
            clock: clock.clone(),
            metrics: Arc::new(Metrics::new()),
            webhook_portals: Arc::new(["demo".to_owned()]),
        });
        let profiles = ProfileService::new(store.clone(), vault, policy, clock).with_tokens(tokens.clone());
        Self { provider, client, access, tokens, profiles, store, now }
    }

    fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The tokens of an account that signs in; `nonce`: the one that is expected.
    async fn granted(&self, persona: &str, nonce: &str) -> Result<NewGrant, IdTokenError> {
        let endpoints = self.access.endpoints.of(&self.client.endpoints).await.unwrap();
        let at = (&*self.client, &endpoints);
        let request = Request { state: "s", verifier: VERIFIER, nonce: "n", login_hint: None, language: "fr" };
        let url = authorization_url(at.0, at.1, &request).unwrap();
        let back = press(&self.provider.router(), &url, persona).await;
        let query = back.split_once('?').unwrap().1;
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned();
        let now = Timestamp::from_second(self.now.load(Ordering::SeqCst)).unwrap();
        let got = exchange(&self.access.requests, at, &code, VERIFIER, now).await.unwrap();
        let identified = self.access.id_tokens.verify(at, &got.id_token.unwrap(), nonce).await?;
        Ok(NewGrant {
            identified,
            scopes: got.scopes.unwrap(),
            access: got.access,
            access_ends_at: got.access_ends_at,
            refresh: got.refresh.unwrap(),
        })
    }

    /// A profile of an account that signs in.
    async fn profile(&self, persona: &str) -> ProfileId {
        let grant = self.granted(persona, "n").await.unwrap();
        let settings = Settings {
            name: String::new(),
            preset: None,
            user: None,
            destination: Client::destination(&self.client.servers[0], grant.identified.address.as_str()),
            sender_name: String::new(),
            sender_address: EmailAddress::parse(grant.identified.address.as_str()).unwrap(),
            reply_to: None,
        };
        let person = User { id: "claire".to_owned(), name: "Claire".to_owned() };
        let by = Author { account: &martin(), person: &person };
        let connection = Connection { client: self.client.clone(), settings, grant };
        self.profiles.connect(by, Target::default(), connection).await.unwrap().0
    }

    async fn row(&self, id: ProfileId) -> ProfileRow {
        self.store.profile(&martin(), id).await.unwrap().unwrap()
    }

    async fn access(&self, id: ProfileId) -> Result<secrecy::SecretString, NoToken> {
        let row = self.row(id).await;
        self.tokens.access(&martin(), &row, row.grant.as_ref().unwrap(), None).await
    }
}

#[tokio::test]
async fn a_token_lasts_and_many_logins_share_one_refresh() {
    let world = World::new().await;
    let id = world.profile("boutique").await;
    let before = world.row(id).await;
    world.access(id).await.unwrap();
    assert_eq!(world.provider.refreshes(), 0);
    world.wait(3_400);
    let asked = futures::future::join_all((0..20).map(|_| world.access(id))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    assert_eq!(world.provider.refreshes(), 1);
    let after = world.row(id).await;
    assert_ne!(after.secret.as_ref().unwrap().sealed, before.secret.as_ref().unwrap().sealed);
    assert_eq!((after.fingerprint(), after.revision), (before.fingerprint(), before.revision), "no new test");
}

#[tokio::test]
async fn a_refused_token_is_replaced_though_it_would_last() {
    let world = World::new().await;
    let id = world.profile("boutique").await;
    let refused = world.access(id).await.unwrap();
    let row = world.row(id).await;
    let new = world.tokens.access(&martin(), &row, row.grant.as_ref().unwrap(), Some(&refused)).await.unwrap();
    assert_ne!(secrecy::ExposeSecret::expose_secret(&new), secrecy::ExposeSecret::expose_secret(&refused));
}

#[tokio::test]
async fn a_refresh_token_that_works_once_is_followed() {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    for _ in 0..4 {
        world.wait(3_600);
        world.access(id).await.unwrap();
    }
    assert_eq!(world.provider.refreshes(), 4);
}

#[tokio::test]
async fn a_refresh_goes_on_when_its_caller_is_gone() {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    world.wait(3_600);
    let grant = world.row(id).await.grant.unwrap().id;
    // Dropped once the lease is taken: the request is under way.
    tokio::select! {
        _ = world.access(id) => {}
        () = async {
            while world.store.grant(grant).await.unwrap().unwrap().leased_until.is_none() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    let written = async {
        while world.store.grant(grant).await.unwrap().unwrap().version == 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.expect("the answer is written");
    world.access(id).await.unwrap();
    assert_eq!(world.provider.refreshes(), 1);
}

#[tokio::test]
async fn an_ended_grant_breaks_its_profile_and_asks_nothing_more() {
    for (persona, code) in [("revoque", "AADSTS"), ("mfa", "AADSTS50076")] {
        let world = World::new().await;
        let id = world.profile(persona).await;
        world.provider.revoke_all("revoque@sandbox.example");
        world.wait(3_600);
        assert_eq!(world.access(id).await.unwrap_err(), NoToken::Ended(Cause::OauthReconnect), "{persona}");
        let row = world.row(id).await;
        assert!(row.health.is_held(), "{persona}");
        let end = row.grant.unwrap().ended.unwrap();
        assert!(end.cause == Cause::OauthReconnect && end.code.starts_with(code), "{end:?}");
        let asked = world.provider.refreshes();
        world.access(id).await.unwrap_err();
        assert_eq!(world.provider.refreshes(), asked);
        assert_eq!(world.store.due_events("demo", Timestamp::MAX, 9).await.unwrap().len(), 1, "told once");
    }
}

#[tokio::test]
async fn a_registration_that_is_refused_rests_and_ends_no_grant() {
    let world = World::new().await;
    let (dead, well) = (world.profile("client-mort").await, world.profile("boutique").await);
    world.wait(3_600);
    assert_eq!(world.access(dead).await.unwrap_err(), NoToken::Ended(Cause::OauthClient));
    assert_eq!(world.row(dead).await.grant.unwrap().ended, None, "it works again once the operator has acted");
    let asked = world.provider.refreshes();
    assert_eq!(world.access(well).await.unwrap_err(), NoToken::Ended(Cause::OauthClient), "the same registration");
    assert_eq!(world.provider.refreshes(), asked);
}

#[tokio::test]
async fn a_provider_that_is_down_or_answers_a_page_touches_no_health() {
    let world = World::new().await;
    for (persona, pause) in [("panne", 30), ("html", 30)] {
        let id = world.profile(persona).await;
        world.wait(3_600);
        let retry_after = Duration::from_secs(pause);
        assert_eq!(world.access(id).await.unwrap_err(), NoToken::Unavailable { retry_after }, "{persona}");
        let row = world.row(id).await;
        assert!(!row.health.is_broken() && row.health.failures == 0 && row.grant.unwrap().ended.is_none());
    }
}

#[tokio::test]
async fn an_id_token_of_another_request_or_another_time_is_refused() {
    let world = World::new().await;
    assert_eq!(world.granted("boutique", "another").await.err(), Some(IdTokenError::Nonce));
    let grant = world.granted("autre-compte", "n").await.unwrap();
    assert_eq!(grant.identified.address.as_str(), "contact@sandbox.example", "the token says who signed in");
}

#[tokio::test]
async fn unused_grants_are_refreshed_and_detached_ones_revoked() {
    let world = World::new().await;
    let keeper = || Keeper { tokens: world.tokens.clone(), replicas: Replicas::alone() };
    let id = world.profile("boutique").await;
    keeper().once().await;
    assert_eq!(world.provider.refreshes(), 0);
    world.wait(20 * 86_400);
    keeper().once().await;
    assert_eq!(world.provider.refreshes(), 1);
    // A provider that is down is not asked again at once.
    let down = world.profile("html").await;
    world.wait(20 * 86_400);
    for _ in 0..3 {
        keeper().once().await;
    }
    assert_eq!(world.provider.refreshes(), 3, "each once");
    let (person, token) = (User { id: "c".to_owned(), name: "C".to_owned() }, world.access(id).await.unwrap());
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    world.profiles.sign_out(Author { account: &martin(), person: &person }, id, None).await.unwrap();
    keeper().once().await;
    assert!(matches!(world.provider.tokens().login_of(&token), crate::demo::provider::TokenState::Revoked));
    assert!(world.store.detached_grants(None, 9).await.unwrap().is_empty());
    assert!(world.row(down).await.grant.is_some());
}
