//! A whole server with its outbox, a sandbox mail server, and clocks that can be set.

use super::*;

pub(super) fn options() -> OutboxOptions {
    OutboxOptions { last_reply: Duration::from_secs(2), ..OutboxOptions::default() }
}

/// The clock is right, and the machine was not restarted.
pub(super) const START: (i64, &str) = (0, "the first start of the machine");

/// An application and its sandbox mail server.
pub(crate) struct Post<S: Store + 'static = SqliteStore> {
    pub application: Application,
    pub store: Arc<S>,
    pub profiles: ProfileService,
    pub submitter: Arc<Submitter>,
    pub(super) sandbox: Sandbox,
    /// By how many seconds the clock is wrong.
    pub(super) jumped: Arc<AtomicI64>,
    /// The port of another mail server, without TLS.
    pub(super) extra: Option<u16>,
}

impl Post {
    pub(crate) async fn new() -> Self {
        Self::with_relay("boutique").await
    }

    /// The portal's relay has this login.
    pub(crate) async fn with_relay(login: &str) -> Self {
        Self::over(Arc::new(SqliteStore::in_memory().await.unwrap()), login).await
    }

    /// Simulates a second process on the same store.
    pub(super) async fn of(store: Arc<SqliteStore>) -> Self {
        Self::over(store, "boutique").await
    }

    /// With a mail server on another port, as `plain.…`.
    pub(super) async fn beside(store: Arc<SqliteStore>, extra: Option<u16>) -> Self {
        Self::made(store, options(), "boutique", extra, START).await
    }

    pub(super) async fn over(store: Arc<SqliteStore>, relay_login: &str) -> Self {
        Self::made(store, options(), relay_login, None, START).await
    }

    /// With these options, but short waits.
    pub(super) async fn with(store: Arc<SqliteStore>, options: OutboxOptions) -> Self {
        Self::made(store, options, "boutique", None, START).await
    }

    /// The same, with this login at the portal's relay.
    pub(super) async fn through(store: Arc<SqliteStore>, options: OutboxOptions, relay: &str) -> Self {
        Self::made(store, options, relay, None, START).await
    }

    /// The same, with another mail server, and a clock that is wrong by this many seconds after this start of the
    /// machine.
    pub(super) async fn made(
        store: Arc<SqliteStore>,
        options: OutboxOptions,
        relay: &str,
        extra: Option<u16>,
        clock: (i64, &str),
    ) -> Self {
        let options = OutboxOptions {
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_millis(400),
            lease: Duration::from_secs(3),
            ..options
        };
        Self::exactly(store, options, relay, extra, clock).await
    }

    /// With another mail server, and a back-off so long that none ends in a test.
    pub(super) async fn without_retries(extra: u16) -> Self {
        let hour = Duration::from_secs(3_600);
        let options = OutboxOptions { first_retry: hour, longest_retry: hour, ..options() };
        let store = Arc::new(SqliteStore::in_memory().await.unwrap());
        Self::exactly(store, options, "boutique", Some(extra), START).await
    }

    async fn exactly(
        store: Arc<SqliteStore>,
        options: OutboxOptions,
        relay: &str,
        extra: Option<u16>,
        clock: (i64, &str),
    ) -> Self {
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let (greylist_delay, tokens) = (Duration::from_millis(50), crate::demo::provider::Tokens::default());
        let options_of = SandboxOptions { starttls: any, tls: any, greylist_delay, tokens };
        let sandbox = Sandbox::start(options_of).await.unwrap();
        Self::with_sandbox(store, sandbox, options, relay, extra, clock)
    }
}

/// With any store.
impl<S: Store + 'static> Post<S> {
    /// Another server with the same keys and the same mail server: only the database differs.
    pub(crate) fn moved(store: Arc<S>, sandbox: Sandbox) -> Self {
        let options = OutboxOptions { first_retry: Duration::from_millis(100), ..options() };
        Self::with_sandbox(store, sandbox, options, "boutique", None, START)
    }

    fn with_sandbox(
        store: Arc<S>,
        sandbox: Sandbox,
        options: OutboxOptions,
        relay: &str,
        extra: Option<u16>,
        (wrong, start): (i64, &str),
    ) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut policy = Policy::default();
        policy.static_addresses.push((format!("*.{DOMAIN}"), vec![loopback]));
        policy.allow_ports.push(sandbox.tls_addr().port());
        policy.allow_ports.extend(extra);
        policy.plaintext_hosts.push(format!("plain.{DOMAIN}"));
        let submitter = Submitter::new(SubmitterOptions {
            policy: policy.clone(),
            ehlo_name: EhloName::parse("facteur.example").unwrap(),
            extra_roots: vec![sandbox.authority()],
            system_roots: false,
            limits: Limits::default(),
            control: None,
        });
        let submitter = Arc::new(submitter.unwrap());
        let vault = Vault::new(vec![VaultKey::new("v1", [1; 32]).unwrap()]).unwrap();
        let destination = destination(&sandbox, relay);
        let hook = WebhookUrl::parse("https://portail.exemple/hook").unwrap();
        let portal = |id: &str, key: &str, relay: Option<Relay>| Portal {
            id: id.to_owned(),
            name: "Comptoir".to_owned(),
            origins: vec!["https://portail.exemple".to_owned()],
            home: None,
            time_zone: None,
            keys: vec![PortalKey::shared("k1", &[7; 32]).unwrap()],
            require_challenge: false,
            theme: app::theme::GivenTheme::default(),
            api_keys: vec![
                ApiKey { id: "a1".to_owned(), hash: Sha256::digest(key.as_bytes()).into() },
                ApiKey { id: "a2".to_owned(), hash: Sha256::digest(format!("{key}-2").as_bytes()).into() },
            ],
            relay: relay.map(Arc::new),
            webhook: Some(Arc::new(Webhook { url: hook.clone(), secrets: vec![] })),
        };
        let relay = Relay {
            destination,
            secret: Some(SecretString::from(PASSWORD)),
            sender: Mailbox::new(Some("Comptoir".to_owned()), "ne-pas-repondre@comptoir.exemple".parse().unwrap()),
            connections: None,
            per_minute: None,
        };
        let jumped = Arc::new(AtomicI64::new(wrong));
        let wall: Clock = {
            let jumped = jumped.clone();
            let machine = config::clock();
            Arc::new(move || machine() + SignedDuration::from_secs(jumped.load(Ordering::SeqCst)))
        };
        let time = Steady::new(Machine { wall, boot: start.into(), ..config::machine() });
        let clock = time.clock();
        let application = application(Parts {
            public_origin: "https://facteur.exemple".to_owned(),
            base_path: app::base_path::BasePath::default(),
            portals: vec![portal("demo", KEY, Some(relay)), portal("other", "fct_other", None)],
            store: store.clone(),
            replicas: crate::replicas::Replicas::alone(),
            vault: vault.clone(),
            submitter: submitter.clone(),
            clients: crate::oauth::Clients::default(),
            presets: Arc::new(Catalogue::builtin()),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: options,
            bodies: crate::http::BodyBudget::default(),
            clock: clock.clone(),
        });
        application.outbox.watch(time);
        let profiles = ProfileService::new(store.clone(), vault, policy, clock);
        profiles.set_change_listener(&application.outbox);
        Self { application, store, profiles, submitter, sandbox, jumped, extra }
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Value) {
        let response = self.application.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let (status, _, answer) = self.call(give(body, None)).await;
        (status, answer)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {KEY}"));
        let (status, _, answer) = self.call(request.body(Body::empty()).unwrap()).await;
        (status, answer)
    }

    pub(crate) async fn give(&self, body: &Value) -> String {
        let (status, answer) = self.post(body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    /// A profile of the shop, for an account that sends through its own servers.
    pub(crate) async fn profile(&self, name: &str, login: &str) -> ProfileId {
        self.profiles.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        self.save(name, None, login).await
    }

    pub(crate) async fn save(&self, name: &str, id: Option<ProfileId>, login: &str) -> ProfileId {
        self.save_for(name, None, id, login).await
    }

    /// A profile of one of the account's users.
    pub(super) async fn save_for(
        &self,
        name: &str,
        user: Option<&str>,
        id: Option<ProfileId>,
        login: &str,
    ) -> ProfileId {
        self.save_to(name, user, id, destination(&self.sandbox, login)).await
    }

    /// A profile that sends without TLS to this port.
    pub(super) async fn save_at(&self, name: &str, id: Option<ProfileId>, port: u16) -> ProfileId {
        self.profiles.set(by(&account(name)), SendingMode::OwnSmtp, None).await.unwrap();
        let destination = Destination {
            host: format!("plain.{DOMAIN}"),
            port,
            security: Security::None,
            ..destination(&self.sandbox, "boutique")
        };
        self.save_to(name, None, id, destination).await
    }

    pub(super) async fn save_to(
        &self,
        name: &str,
        user: Option<&str>,
        id: Option<ProfileId>,
        destination: Destination,
    ) -> ProfileId {
        let settings = Settings {
            name: String::new(),
            preset: None,
            user: user.map(str::to_owned),
            destination,
            sender_name: "Boulangerie Martin".to_owned(),
            sender_address: EmailAddress::parse("devis@martin.exemple").unwrap(),
            reply_to: None,
        };
        let secret = SecretChange::Replace(SecretString::from(PASSWORD));
        self.profiles.save(by(&account(name)), Target { id, ..Target::default() }, settings, secret).await.unwrap()
    }

    pub(super) async fn resend(&self, id: &str) -> (StatusCode, Value) {
        let request = Request::post(format!("/api/v1/messages/{id}/resend"))
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .body(Body::empty());
        let (status, _, answer) = self.call(request.unwrap()).await;
        (status, answer)
    }

    /// Waits until the message is in this state.
    pub(crate) async fn until(&self, id: &str, state: &str) -> Value {
        let mut last = Value::Null;
        for _ in 0..200 {
            last = self.get(&format!("/api/v1/messages/{id}")).await.1;
            if last["state"] == state {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {state}: {last:#}");
    }

    /// How often a client tried to log in at the sandbox.
    pub(crate) fn logins(&self) -> u32 {
        self.sandbox.inbox().logins()
    }

    pub(super) fn arrived(&self, subject: &str) -> Vec<Received> {
        self.sandbox.inbox().messages().into_iter().filter(|mail| mail.subject == subject).collect()
    }

    pub(super) async fn events(&self) -> Vec<Value> {
        let now = (config::clock())();
        let rows = self.store.due_events("demo", now, 99).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.content).unwrap()).collect()
    }
}
