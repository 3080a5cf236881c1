//! One replica for a test.

use super::*;

/// One replica: an application of its own on the shared database.
pub(super) struct Node {
    pub application: Application,
    pub replicas: Replicas,
    pub profiles: ProfileService,
    pub store: PostgresStore,
    pub listening: tokio::task::JoinHandle<()>,
    _lock: ServingLock,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Node {
    pub async fn new(database: &PgConnectOptions, port: u16, terms: Terms) -> Self {
        let store = PostgresStore::open(database.clone(), 4).await.unwrap();
        let lock = ServingLock::join(database).await.unwrap();
        let machine = config::machine();
        let database_clock = DatabaseClock::new(&store, &machine).await.unwrap();
        let time = Steady::new(database_clock.on_the_wall_of(machine));
        let shared = Arc::new(store.clone());
        let replicas = Replicas::among(shared.clone(), lock.replica().unwrap(), Some(database_clock), terms);
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut policy = Policy::default();
        policy.static_addresses.push((format!("*.{DOMAIN}"), vec![loopback]));
        policy.allow_ports.push(port);
        policy.plaintext_hosts.push(format!("plain.{DOMAIN}"));
        let submitter = Submitter::new(SubmitterOptions {
            policy: policy.clone(),
            ehlo_name: EhloName::parse("facteur.example").unwrap(),
            extra_roots: vec![authority()],
            system_roots: false,
            limits: Limits::default(),
            control: None,
        });
        let vault = Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap();
        let portal = Portal {
            id: "demo".to_owned(),
            name: "Comptoir".to_owned(),
            origins: vec!["https://portail.exemple".to_owned()],
            home: None,
            time_zone: None,
            keys: vec![PortalKey::shared("k1", &[7; 32]).unwrap()],
            require_challenge: false,
            theme: app::theme::GivenTheme::default(),
            api_keys: vec![ApiKey { id: "a1".to_owned(), hash: Sha256::digest(KEY.as_bytes()).into() }],
            relay: None,
            webhook: None,
        };
        let options = OutboxOptions {
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_millis(400),
            lease: Duration::from_secs(3),
            ..options()
        };
        let application = application(Parts {
            public_origin: "https://facteur.exemple".to_owned(),
            base_path: app::base_path::BasePath::default(),
            portals: vec![portal],
            store: shared.clone(),
            replicas: replicas.clone(),
            vault: vault.clone(),
            submitter: Arc::new(submitter.unwrap()),
            clients: crate::oauth::Clients::default(),
            presets: Arc::new(Catalogue::builtin()),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: options,
            bodies: crate::http::BodyBudget::default(),
            clock: time.clock(),
        });
        application.outbox.watch(time.clone());
        let profiles = ProfileService::new(shared, vault, policy, time.clock());
        profiles.set_change_listener(&application.outbox);
        let hearing = replicas.clone();
        let listening = tokio::spawn(store.clone().listen(move |notice| hearing.heard(notice)));
        Self { application, replicas, profiles, store, listening, _lock: lock }
    }

    pub async fn stop(&self) {
        self.application.outbox.stop(Duration::from_secs(10)).await;
        self.replicas.leave().await;
    }

    pub async fn start(&self) {
        self.replicas.start().await;
        self.application.outbox.start();
    }

    /// A profile whose server is the sink, with these limits on connections and messages a minute.
    pub async fn profile(&self, name: &str, port: u16, connections: u32, per_minute: Option<u32>) -> ProfileId {
        self.profiles.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        let settings = Settings {
            name: String::new(),
            preset: None,
            user: None,
            destination: Destination {
                host: format!("plain.{DOMAIN}"),
                port,
                security: Security::None,
                login: "boutique".to_owned(),
                mechanism: None,
            },
            sender_name: "Boulangerie".to_owned(),
            sender_address: EmailAddress::parse("devis@martin.exemple").unwrap(),
            reply_to: None,
        };
        let secret = SecretChange::Replace(SecretString::from(PASSWORD));
        let id = self.profiles.save(by(&account(name)), Target::default(), settings, secret).await.unwrap();
        let options = SendingOptions { max_connections: Some(connections), per_minute, ..SendingOptions::default() };
        self.profiles.set_sending(by(&account(name)), id, options, None.into()).await.unwrap();
        id
    }

    pub async fn give(&self, name: &str, subject: &str) -> String {
        let request = give(&message(name, subject), None);
        let response = self.application.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// How many messages are in each state.
    pub async fn states(&self) -> HashMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT state, count(*) FROM message GROUP BY state")
            .fetch_all(cluster::pool_of(&self.store))
            .await
            .unwrap();
        rows.into_iter().collect()
    }

    /// Waits until no message is waiting or being sent.
    pub async fn until_done(&self) -> HashMap<String, i64> {
        for _ in 0..1_200 {
            let states = self.states().await;
            if !["queued", "deferred", "sending"].iter().any(|state| states.contains_key(*state)) {
                return states;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("messages are still unfinished: {:?}", self.states().await);
    }
}

/// A client needs an authority; no certificate is checked here.
fn authority() -> rustls::pki_types::CertificateDer<'static> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    certificate.der().clone()
}
