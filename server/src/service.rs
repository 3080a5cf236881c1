//! Server side. The service: from a configuration to a running application, and to its end.
//!
//! | file | what it is |
//! |---|---|
//! | `web` | `[server]`: the public address, limits on connections and bodies |
//! | `smtp` | `[smtp]`: allowed destinations |
//! | `sending` | limits on messages and tests, retention |
//! | `portals` | the portals |
//! | `database` | opens the database |
//! | `oauth` | `[[oauth]]`: registrations with providers |
//! | `keys` | secret files, and the vault |
//! | `descriptors` | how many files the process may open |

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use app::{base_path::BasePath, profile::preset::Catalogue};
use mail::net::SetupError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) mod database;
mod descriptors;
mod keys;
mod oauth;
mod portals;
mod sending;
pub(crate) mod smtp;
mod web;

use database::{Database, DatabaseLocation, ServingLock};

use crate::{
    Application, Parts, application,
    config::{Config, ConfigError},
    credentials::{
        CanaryError, Vault,
        rotation::{RotateError, Rotated, census, rotate},
    },
    http::ConnectionLimits,
    oauth::{
        Client, Clients,
        check::{Checked, check},
    },
    replicas::Replicas,
    store::StoreError,
    time::Steady,
};

/// How long running conversations may take when the service stops.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at once to `/metrics`.
const METRICS_CONNECTIONS: usize = 32;
/// The longest request: a test, and the look-ups after it.
const LONGEST_REQUEST: Duration = Duration::from_secs(36);

/// Why it cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot use the database {0}")]
    Store(String, #[source] StoreError),
    #[error(transparent)]
    Canary(#[from] CanaryError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("cannot bind {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// An application that is ready to serve: everything it needs was read and checked.
pub struct Service {
    application: Application,
    base_path: BasePath,
    listen: SocketAddr,
    limits: ConnectionLimits,
    metrics: Option<SocketAddr>,
    database: Database,
    location: DatabaseLocation,
    vault: Vault,
    replicas: Replicas,
    /// While held, no process uses the database in a way that excludes this one.
    lock: Option<Arc<ServingLock>>,
}

impl Service {
    /// The same as [`prepare`](Self::prepare), with exclusive use: no other process serves from the database until this
    /// value is dropped.
    pub async fn prepare_alone(config: &Config) -> Result<Self, ServeError> {
        let lock = DatabaseLocation::of(config)?.lock().await?;
        Self::prepare_with(config, Some(lock)).await
    }

    /// The same, to serve: several processes may serve from PostgreSQL.
    pub async fn prepare_to_serve(config: &Config) -> Result<Self, ServeError> {
        let lock = DatabaseLocation::of(config)?.join().await?;
        Self::prepare_with(config, Some(lock)).await
    }

    /// Reads the files that the configuration names, opens the database and checks that the vault's keys match it.
    pub async fn prepare(config: &Config) -> Result<Self, ServeError> {
        Self::prepare_with(config, None).await
    }

    async fn prepare_with(config: &Config, lock: Option<ServingLock>) -> Result<Self, ServeError> {
        let (public_origin, base_path) = web::public_address(&config.server.public_url)?;
        let vault = keys::vault(config)?;
        let submitter = smtp::submitter(config)?;
        let policy = submitter.policy();
        let portals = config
            .portals
            .iter()
            .map(|portal| portals::portal_of(config, portal, policy))
            .collect::<Result<Vec<_>, _>>()?;
        portals::check_portals(&portals)?;
        let presets = Arc::new(Catalogue::builtin());
        let clients = oauth::clients(config, &format!("{public_origin}{}", base_path.0), policy, &presets)?;
        let location = DatabaseLocation::of(config)?;
        let database = location.open().await?;
        vault.check(&*database.store()).await?;
        let replica = lock.as_ref().and_then(ServingLock::replica);
        let opened = database.time_and_replicas(replica).await;
        let (machine, replicas) = opened.map_err(|error| location.failed(error))?;
        let time = Steady::new(machine);
        let application = application(Parts {
            public_origin,
            base_path: base_path.clone(),
            portals,
            store: database.store(),
            replicas: replicas.clone(),
            vault: vault.clone(),
            submitter: Arc::new(submitter),
            presets,
            clients,
            quota: sending::quota(&config.tests),
            most_profiles: config.profiles.per_account.get(),
            outbox: sending::outbox(config)?,
            bodies: web::bodies(&config.server)?,
            clock: time.clock(),
        });
        application.outbox.watch(time);
        let limits = web::connection_limits(config)?;
        let Config { server, metrics, .. } = config;
        Ok(Self {
            application,
            base_path,
            listen: server.listen,
            limits,
            metrics: metrics.map(|metrics| metrics.listen),
            database,
            location,
            vault,
            replicas,
            lock: lock.map(Arc::new),
        })
    }

    #[cfg(test)]
    pub(crate) const fn application(&self) -> &Application {
        &self.application
    }

    /// Serves until `stop` resolves; running requests are answered, and running conversations end.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { application, base_path, listen, limits, metrics, database, location, replicas, lock, .. } = self;
        let listener = bind(listen).await?;
        let metrics_endpoint = match metrics {
            Some(address) => Some((address, bind(address).await?)),
            None => None,
        };
        let Application { router, outbox, webhooks, keeper, metrics } = application;
        replicas.start().await;
        let listening = tokio::spawn(database.clone().listen(replicas.clone()));
        outbox.start();
        webhooks.start();
        let keeping = CancellationToken::new();
        let kept = tokio::spawn(keeper.run(keeping.clone()));
        let metrics_endpoint = metrics_endpoint.map(|(address, listener)| {
            tracing::info!(listen = %address, "metrics");
            let router = crate::http::metrics(metrics, outbox.clone(), database.store());
            let few = ConnectionLimits {
                connections: METRICS_CONNECTIONS,
                per_address: METRICS_CONNECTIONS,
                ..limits.clone()
            };
            tokio::spawn(crate::http::serve(listener, router, BasePath::default(), few, CancellationToken::new()))
        });
        tracing::info!(%listen, "serving");
        let stopping = CancellationToken::new();
        let asked = stopping.clone();
        let overtaken = CancellationToken::new();
        let (overtaking, held) = (overtaken.clone(), lock.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop => {}
                () = lost(held.as_deref()) => overtaking.cancel(),
            }
            asked.cancel();
        });
        tracing::info!(connections = limits.connections, "limits");
        let requests = crate::http::serve(listener, router, base_path, limits, stopping.clone());
        // Requests and conversations end at the same time; a body that never arrives is not waited for indefinitely.
        let messages = async {
            stopping.cancelled().await;
            outbox.stop(PATIENCE).await;
            tokio::time::sleep(LONGEST_REQUEST.saturating_sub(PATIENCE)).await;
        };
        tokio::pin!(messages);
        tokio::pin!(requests);
        tokio::select! {
            () = &mut requests => {
                outbox.stop(PATIENCE).await;
            }
            () = &mut messages => {}
        }
        webhooks.stop().await;
        keeping.cancel();
        let _ = kept.await;
        if let Some(metrics_endpoint) = metrics_endpoint {
            metrics_endpoint.abort();
        }
        listening.abort();
        replicas.leave().await;
        database.close().await;
        tracing::info!("stopped");
        drop(lock);
        if overtaken.is_cancelled() { Err(location.failed(StoreError::Reserved)) } else { Ok(()) }
    }

    /// Copies the database into a new file.
    pub async fn back_up(&self, to: &std::path::Path) -> Result<(), ServeError> {
        if to.exists() {
            let problem = ConfigError::wrong(to.display().to_string(), "already exists");
            return Err(problem.into());
        }
        self.database.back_up(to).await
    }

    /// Whether it may serve: a backup may not, until `facteur restored` was run.
    pub async fn check_backup(&self) -> Result<(), ServeError> {
        let is_backup = self.database.is_backup().await.map_err(|error| self.location.failed(error))?;
        if is_backup { Err(self.location.failed(StoreError::Backup)) } else { Ok(()) }
    }

    /// The registrations with providers.
    pub fn registrations(&self) -> Clients {
        self.application.keeper.tokens.clients().clone()
    }

    /// Whether a provider accepts a registration.
    pub async fn check_registration(&self, client: &Client) -> Checked {
        let parts = self.application.keeper.tokens.parts();
        check(&parts.provider, client, (parts.clock)()).await
    }

    /// Removes the mark of a backup.
    pub async fn release_backup(&self) -> Result<(), ServeError> {
        self.database.release_backup().await.map_err(|error| self.location.failed(error))
    }

    /// After a restore: waiting messages may have been sent since. Returns how many are `delivery_unknown` now.
    pub async fn disown_waiting(&self) -> Result<u64, ServeError> {
        let disowned = self.application.outbox.disown().await;
        disowned.map_err(|error| self.location.failed(error))
    }

    /// Seals everything with the first key.
    pub async fn rotate(&self) -> Result<Rotated, RotateError> {
        rotate(&*self.database.store(), &self.vault).await
    }

    /// How many passwords are sealed with which key.
    pub async fn census(&self) -> Result<Vec<(String, u64)>, ServeError> {
        census(&*self.database.store()).await.map_err(|error| self.location.failed(error))
    }

    /// Closes the database: `facteur config check` goes no further.
    pub async fn close(self) {
        self.database.close().await;
    }
}

/// Resolves when another process has taken the lock.
async fn lost(lock: Option<&ServingLock>) {
    match lock {
        Some(lock) => lock.lost().await,
        None => std::future::pending().await,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}
