//! Server side. `facteur demo`: everything on one machine. The configurator, a portal on another origin, a provider to
//! sign in with, a mail server that delivers nothing; SQLite, or PostgreSQL on request, and keys in one folder.
//!
//! This is a product of its own, for trying things out: it listens on loopback only, and its relaxed address policy
//! exists nowhere else.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::profile::preset::CatalogueError;
use axum::Router;
use mail::{net::SetupError, smtp::EhloNameError};
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::{
    Parts, application, config,
    credentials::{CanaryError, Vault, VaultError},
    oauth::{Clients, keeper::Keeper},
    outbox::{Outbox, OutboxOptions},
    portal::webhook::Webhooks,
    service::{
        ServeError,
        database::{Database, DatabaseLocation, ServingLock},
    },
    test_runs::TestQuota,
    time::Steady,
};

mod keys;
mod parts;
pub mod portal;
pub mod provider;
pub(crate) mod registration;
pub mod sandbox;

use keys::{DemoKeys, KeyError};
use parts::{new_api_key, presets, registered, submitter};
use portal::{Api, PortalOptions, SigningKey};
use provider::{Provider, ProviderError, ProviderOptions};
use sandbox::{Sandbox, SandboxError, SandboxOptions};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The demo portal's `iss`.
const ISSUER: &str = "demo";
/// The configurator's name at the demo's provider.
const CLIENT_ID: &str = "facteur-demo";

/// The options of the command line.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    pub port: u16,
    pub portal_port: u16,
    pub provider_port: u16,
    pub starttls_port: u16,
    pub tls_port: u16,
    /// The folder of the keys, and of the database unless another one is given.
    pub folder: PathBuf,
    /// The URL of a PostgreSQL database instead of SQLite.
    pub database: Option<String>,
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("port {0} is in use or not permitted; choose another one (facteur demo --help)")]
    Listen(u16, #[source] std::io::Error),
    #[error("cannot use the folder {0}")]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("--database: {0}")]
    Url(&'static str),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Canary(#[from] CanaryError),
    #[error(transparent)]
    Database(#[from] ServeError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Host(#[from] EhloNameError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// A demo that is ready to serve.
pub struct Demo {
    configurator: (TcpListener, Router),
    outbox: Arc<Outbox>,
    webhooks: Arc<Webhooks>,
    keeper: Keeper,
    portal: (Vec<TcpListener>, Router),
    pub configurator_url: String,
    pub portal_url: String,
    pub provider_url: String,
    provider_listener: TcpListener,
    /// The accounts that sign in.
    pub provider: Provider,
    /// Runs as long as the demo does.
    pub sandbox: Sandbox,
    database: Database,
    /// No other process serves from the database.
    _lock: ServingLock,
}

impl Demo {
    /// Opens the ports, the database and the keys.
    pub async fn prepare(options: &DemoOptions) -> Result<Self, DemoError> {
        make_private(&options.folder)?;
        let keys = DemoKeys::load_or_make(&options.folder.join("keys.toml"))?;
        let listener = listen(LOOPBACK, options.port).await?;
        let configurator_url = format!("http://127.0.0.1:{}", port_of(&listener, options.port));
        let provider_listener = listen(LOOPBACK, options.provider_port).await?;
        let provider_url = format!("http://127.0.0.1:{}", port_of(&provider_listener, options.provider_port));
        let provider = Provider::new(ProviderOptions {
            public_url: provider_url.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: SecretString::from(new_api_key()?.0),
            redirect_uris: vec![format!("{configurator_url}/oauth/callback/sandbox")],
            clock: config::clock(),
        })?;
        let sandbox = Sandbox::start(SandboxOptions {
            starttls: SocketAddr::new(LOOPBACK, options.starttls_port),
            tls: SocketAddr::new(LOOPBACK, options.tls_port),
            greylist_delay: Duration::from_secs(5),
            tokens: provider.tokens(),
        })
        .await?;
        let portal_listener = listen(LOOPBACK, options.portal_port).await?;
        let portal_port = port_of(&portal_listener, options.portal_port);
        let portal_url = format!("http://localhost:{portal_port}");
        let mut portal_listeners = vec![portal_listener];
        // `localhost` is `::1` first on many machines.
        portal_listeners.extend(listen(std::net::Ipv6Addr::LOCALHOST.into(), portal_port).await.ok());

        let location = match &options.database {
            Some(url) => DatabaseLocation::server(url).map_err(DemoError::Url)?,
            None => DatabaseLocation::File(options.folder.join("facteur.db")),
        };
        let lock = location.lock().await?;
        let database = location.open().await?;
        let store = database.store();
        let vault = Vault::new(keys.vault()?)?;
        vault.check(&*store).await?;
        let (api_key, hash) = new_api_key()?;
        let time = Steady::new(config::machine());
        let application = application(Parts {
            public_origin: configurator_url.clone(),
            base_path: app::base_path::BasePath::default(),
            portals: vec![registered(&portal_url, &keys, &sandbox, &hash)?],
            store,
            replicas: crate::replicas::Replicas::alone(),
            vault,
            submitter: Arc::new(submitter(&sandbox)?),
            presets: Arc::new(presets(&sandbox, &portal_url)?),
            clients: Clients(vec![Arc::new(registration::client(
                &provider,
                sandbox.tls_addr().port(),
                &configurator_url,
            ))]),
            quota: TestQuota::default(),
            most_profiles: crate::profiles::MOST_PROFILES,
            outbox: OutboxOptions::default(),
            bodies: crate::http::BodyBudget::default(),
            clock: time.clock(),
        });
        application.outbox.watch(time);
        let back_office = portal::router(PortalOptions {
            public_url: portal_url.clone(),
            configurator_url: configurator_url.clone(),
            issuer: ISSUER.to_owned(),
            key: SigningKey { id: keys.portal_id().to_owned(), secret: keys.portal_secret().to_vec() },
            inbox: sandbox.inbox(),
            clock: config::clock(),
            starttls_port: sandbox.starttls_addr().port(),
            tls_port: sandbox.tls_addr().port(),
            api: Api { facteur: application.router.clone(), key: api_key },
        });
        Ok(Self {
            configurator: (listener, application.router),
            outbox: application.outbox,
            webhooks: application.webhooks,
            keeper: application.keeper,
            portal: (portal_listeners, back_office),
            configurator_url,
            portal_url,
            provider_url,
            provider_listener,
            provider,
            sandbox,
            database,
            _lock: lock,
        })
    }

    /// Serves until `stop` resolves.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> Result<(), DemoError> {
        let (listener, router) = self.configurator;
        self.outbox.start();
        self.webhooks.start();
        let keeping = tokio_util::sync::CancellationToken::new();
        let kept = tokio::spawn(self.keeper.run(keeping.clone()));
        let (listeners, back_office) = self.portal;
        let others = listeners.into_iter().map(|listener| (listener, back_office.clone()));
        for (listener, router) in others.chain([(self.provider_listener, self.provider.router())]) {
            tokio::spawn(serve(listener, router));
        }
        tokio::select! {
            () = serve(listener, router) => {}
            () = stop => {}
        }
        self.outbox.stop(Duration::from_secs(5)).await;
        self.webhooks.stop().await;
        keeping.cancel();
        let _ = kept.await;
        self.database.close().await;
        drop(self.sandbox);
        Ok(())
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let limits = crate::http::ConnectionLimits::default();
    let stop = tokio_util::sync::CancellationToken::new();
    crate::http::serve(listener, router, app::base_path::BasePath::default(), limits, stop).await;
}

async fn listen(address: IpAddr, port: u16) -> Result<TcpListener, DemoError> {
    TcpListener::bind((address, port)).await.map_err(|error| DemoError::Listen(port, error))
}

fn port_of(listener: &TcpListener, asked: u16) -> u16 {
    listener.local_addr().map_or(asked, |address| address.port())
}

/// Creates a folder that only its owner can read.
fn make_private(folder: &Path) -> Result<(), DemoError> {
    let failed = |error| DemoError::Folder(folder.to_owned(), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed)?;
    Ok(())
}
