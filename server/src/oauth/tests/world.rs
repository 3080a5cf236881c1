//! A provider that listens, profiles that sign in there, and processes that share their grants.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use app::{
    journal::model::Author,
    profile::{
        address::EmailAddress,
        model::{Profile, ProfileId, Settings},
        port::{Profiles, Target},
    },
    services::Clock,
    session::{AccountId, User},
};
use jiff::Timestamp;
use mail::net::{Network, Policy};

use super::super::{
    access::ProviderAccess,
    endpoints::Endpoints,
    id_token::{Expected, IdTokenError},
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
    store::{ProfileRow, aggregates::*, sqlite::SqliteStore},
};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OWN: &str = "http://127.0.0.1:3000";

pub fn martin() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

/// A provider that listens, and profiles that sign in there.
pub struct World {
    pub provider: Provider,
    pub client: Arc<Client>,
    pub access: ProviderAccess,
    pub tokens: AccessTokens,
    pub profiles: ProfileService,
    pub store: Arc<SqliteStore>,
    pub now: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> Self {
        Self::at(1_800_000_000, 0).await
    }

    /// Our clock is ahead of the provider's, which shows the true time, as the `Date` of its responses does.
    pub async fn ahead(seconds: i64) -> Self {
        Self::at((crate::config::clock())().as_second() + seconds, seconds).await
    }

    async fn at(ours: i64, ahead: i64) -> Self {
        let now = Arc::new(AtomicI64::new(ours));
        let (shown, shown_there) = (now.clone(), now.clone());
        let clock: Clock = Arc::new(move || Timestamp::from_second(shown.load(Ordering::SeqCst)).unwrap());
        let clock_there: Clock =
            Arc::new(move || Timestamp::from_second(shown_there.load(Ordering::SeqCst) - ahead).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Provider::new(ProviderOptions {
            public_url: format!("http://{}", listener.local_addr().unwrap()),
            client_id: "facteur".to_owned(),
            client_secret: secrecy::SecretString::from("a secret"),
            redirect_uris: vec![format!("{OWN}/oauth/callback/sandbox")],
            clock: clock_there,
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

    /// Another process on the same store. `token`: its token endpoint, if it is not the provider's own.
    pub fn replica(&self, token: Option<String>) -> AccessTokens {
        let AccessParts { store, vault, provider, clock, webhook_portals, .. } = self.tokens.parts();
        let mut client = Client::clone(&self.client);
        if let (Some(token), Endpoints::Fixed(fixed)) = (token, &mut client.endpoints) {
            fixed.token = token;
        }
        AccessTokens::new(AccessParts {
            store: store.clone(),
            vault: vault.clone(),
            clients: Clients(vec![Arc::new(client)]),
            provider: provider.clone(),
            clock: clock.clone(),
            metrics: Arc::new(Metrics::new()),
            webhook_portals: webhook_portals.clone(),
        })
    }

    pub fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The tokens of an account that signs in; `nonce`: the one that is expected.
    pub async fn granted(&self, persona: &str, nonce: &str) -> Result<NewGrant, IdTokenError> {
        let endpoints = self.access.endpoints.of(&self.client.endpoints).await.unwrap();
        let at = (&*self.client, &endpoints);
        let request = Request { state: "s", verifier: VERIFIER, nonce: "n", login_hint: None, language: "fr" };
        let url = authorization_url(at.0, at.1, &request).unwrap();
        let back = press(&self.provider.router(), &url, persona).await;
        let query = back.split_once('?').unwrap().1;
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned();
        let now = Timestamp::from_second(self.now.load(Ordering::SeqCst)).unwrap();
        let got = exchange(&self.access.requests, at, &code, VERIFIER, now).await.unwrap();
        let expected = Expected { nonce, answered_at: got.answered_at };
        let identified = self.access.id_tokens.verify(at, &got.id_token.unwrap(), expected).await?;
        Ok(NewGrant {
            identified,
            scopes: got.scopes.unwrap(),
            access: got.access,
            access_ends_at: got.access_ends_at,
            refresh: got.refresh.unwrap(),
        })
    }

    /// A profile of an account that signs in.
    pub async fn profile(&self, persona: &str) -> ProfileId {
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

    pub async fn row(&self, id: ProfileId) -> ProfileRow {
        self.store.profile(&martin(), id).await.unwrap().unwrap()
    }

    /// The profile as the pages see it.
    pub async fn shown(&self, id: ProfileId) -> Profile {
        self.profiles.get(&martin(), id).await.unwrap().unwrap()
    }

    /// How many events wait for the portal.
    pub async fn events(&self) -> usize {
        self.store.due_events("demo", Timestamp::MAX, 9).await.unwrap().len()
    }

    pub async fn access(&self, id: ProfileId) -> Result<secrecy::SecretString, NoToken> {
        self.access_by(&self.tokens, id).await
    }

    pub async fn access_by(&self, tokens: &AccessTokens, id: ProfileId) -> Result<secrecy::SecretString, NoToken> {
        let row = self.row(id).await;
        tokens.access(&martin(), &row, row.grant.as_ref().unwrap(), None).await
    }
}
