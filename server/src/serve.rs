//! Server side. `facteur serve`: from a configuration to a running application, and to its end.

use std::{future::Future, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use app::{base_path::BasePath, profile::preset::Catalogue};
use jiff::SignedDuration;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod database;
mod descriptors;
mod portals;

use database::Database;
use mail::{
    net::{
        Policy, SetupError,
        guard::{self, Missing},
    },
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use portals::{check_portals, portal_of};

use crate::{
    Application, Parts, application,
    config::{
        self, Config, ConfigError,
        secret_file::{self, SecretFileError},
        sections,
    },
    credentials::{
        CanaryError, Vault, VaultKey,
        rotation::{RotateError, Rotated, census, rotate},
    },
    http::{BodyBudget, ConnectionLimits, Proxies},
    outbox::OutboxOptions,
    store::StoreError,
    test_runs::TestQuota,
    time::Steady,
};

/// How long messages under way may take when the service stops.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at once to `/metrics`.
const METRICS_CONNECTIONS: usize = 32;
/// The longest request: a test, and what is looked for after it.
const LONGEST_REQUEST: Duration = Duration::from_secs(36);

/// Why it does not serve.
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
    listen: SocketAddr,
    limits: ConnectionLimits,
    metrics: Option<SocketAddr>,
    database: Database,
    place: database::Place,
    vault: Vault,
}

impl Service {
    /// Reads what the configuration names, opens the database and checks that the vault's keys are its own.
    pub async fn prepare(config: &Config) -> Result<Self, ServeError> {
        let (public_origin, base_path) = public_address(&config.server.public_url)?;
        let vault = vault(config)?;
        let submitter = submitter(config)?;
        let policy = submitter.policy();
        let portals =
            config.portals.iter().map(|portal| portal_of(config, portal, policy)).collect::<Result<Vec<_>, _>>()?;
        check_portals(&portals)?;
        let database_place = database::Place::of(config)?;
        let database = database_place.open().await?;
        vault.check(&*database.store()).await?;
        let time = Steady::new(config::machine());
        let application = application(Parts {
            public_origin,
            base_path,
            portals,
            store: database.store(),
            vault: vault.clone(),
            submitter: Arc::new(submitter),
            presets: Arc::new(Catalogue::builtin()),
            quota: quota(&config.tests),
            most_profiles: config.profiles.per_account.get(),
            outbox: outbox(config)?,
            bodies: bodies(&config.server)?,
            clock: time.clock(),
        });
        application.outbox.watch(time);
        let limits = connection_limits(config)?;
        let Config { server, metrics, .. } = config;
        Ok(Self {
            application,
            listen: server.listen,
            limits,
            metrics: metrics.map(|metrics| metrics.listen),
            database,
            place: database_place,
            vault,
        })
    }

    #[cfg(test)]
    pub(crate) const fn application(&self) -> &Application {
        &self.application
    }

    /// Serves until `stop` is done; requests under way are answered, and messages under way come to their end.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { application, listen, limits, metrics, database, .. } = self;
        let listener = bind(listen).await?;
        let metrics_endpoint = match metrics {
            Some(address) => Some((address, bind(address).await?)),
            None => None,
        };
        let Application { router, outbox, webhooks, metrics } = application;
        outbox.start();
        webhooks.start();
        let metrics_endpoint = metrics_endpoint.map(|(address, listener)| {
            tracing::info!(listen = %address, "metrics");
            let router = crate::http::metrics(metrics, outbox.clone(), database.store());
            let few = ConnectionLimits {
                connections: METRICS_CONNECTIONS,
                per_address: METRICS_CONNECTIONS,
                ..limits.clone()
            };
            tokio::spawn(crate::http::serve(listener, router, few, CancellationToken::new()))
        });
        tracing::info!(%listen, "serving");
        let stopping = CancellationToken::new();
        let asked = stopping.clone();
        tokio::spawn(async move {
            stop.await;
            asked.cancel();
        });
        tracing::info!(connections = limits.connections, "limits");
        let requests = crate::http::serve(listener, router, limits, stopping.clone());
        // Requests and messages come to their end at the same time; a body that never arrives waits in vain.
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
        if let Some(metrics_endpoint) = metrics_endpoint {
            metrics_endpoint.abort();
        }
        database.close().await;
        tracing::info!("stopped");
        Ok(())
    }

    /// Copies the database into a new file.
    pub async fn back_up(&self, to: &std::path::Path) -> Result<(), ServeError> {
        if to.exists() {
            let problem = ConfigError::wrong(to.display().to_string(), "it exists already");
            return Err(problem.into());
        }
        self.database.back_up(to).await
    }

    /// After a restore: what waited may have been sent since. How many messages are unknown now.
    pub async fn disown_waiting(&self) -> Result<u64, ServeError> {
        let disowned = self.application.outbox.disown().await;
        disowned.map_err(|error| self.place.failed(error))
    }

    /// Seals everything with the first key.
    pub async fn rotate(&self) -> Result<Rotated, RotateError> {
        rotate(&*self.database.store(), &self.vault).await
    }

    /// How many passwords bear which key.
    pub async fn census(&self) -> Result<Vec<(String, u64)>, ServeError> {
        census(&*self.database.store()).await.map_err(|error| self.place.failed(error))
    }

    /// Closes the database: `facteur config check` goes no further.
    pub async fn close(self) {
        self.database.close().await;
    }
}

fn connection_limits(config: &Config) -> Result<ConnectionLimits, ConfigError> {
    let (usual, given) = (ConnectionLimits::default(), &config.server);
    let seconds = |given: Option<NonZeroU32>, usual: Duration| {
        given.map_or(usual, |seconds| Duration::from_secs(u64::from(seconds.get())))
    };
    let count = |given: Option<NonZeroU32>, usual: usize| given.map_or(usual, |count| count.get() as usize);
    if given.connections.is_some_and(|connections| connections.get() > 50_000) {
        return Err(ConfigError::wrong("server.connections", "it is a number from 1 to 50,000"));
    }
    let workers = count(config.outbox.workers, OutboxOptions::default().workers as usize);
    let connections =
        descriptors::connections(count(given.connections, usual.connections), descriptors::raise(), workers);
    Ok(ConnectionLimits {
        connections,
        per_address: count(given.connections_per_address, connections.div_ceil(2)),
        proxies: Proxies { networks: given.trusted_proxies.clone(), header: given.forwarded_header },
        headers: seconds(given.header_seconds, usual.headers),
        body: seconds(given.body_seconds, usual.body),
        idle: seconds(given.idle_seconds, usual.idle),
        unread: usual.unread,
    })
}

fn bodies(server: &sections::Server) -> Result<BodyBudget, ConfigError> {
    let usual = BodyBudget::default();
    let size = |name: &str, given: Option<NonZeroU32>, usual: usize| match given.map(NonZeroU32::get) {
        None => Ok(usual),
        Some(size @ 40..=65_536) => Ok(size as usize),
        Some(_) => Err(ConfigError::wrong(name, "it is a number of MiB from 40 to 65,536")),
    };
    Ok(BodyBudget {
        in_all: size("server.body_memory_mb", server.body_memory_mb, usual.in_all)?,
        per_portal: size("server.portal_body_memory_mb", server.portal_body_memory_mb, usual.per_portal)?,
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// The origin of the public URL, and the path below it. Session cookies are `Secure`: without https only this machine's
/// browser keeps them.
fn public_address(url: &str) -> Result<(String, BasePath), ConfigError> {
    let wrong = |problem: &str| ConfigError::wrong("server.public_url", problem);
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it begins with https://"))?;
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    if authority.is_empty() || authority.contains(['?', '#', '@', ' ', '\\']) {
        return Err(wrong("it is scheme, host and port, such as https://facteur.example, and a path if need be"));
    }
    let segment =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if path.is_some_and(|path| !path.split('/').all(segment)) {
        return Err(wrong("its path is made of letters, digits, - and _, and does not end in a slash"));
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if scheme != "https" && !(scheme == "http" && ["localhost", "127.0.0.1", "[::1]"].contains(&host)) {
        return Err(wrong("it must be https: browsers keep the session's cookie on a secure connection only"));
    }
    let origin = format!("{scheme}://{}", authority.to_ascii_lowercase());
    Ok((origin, BasePath(path.map(|path| format!("/{path}")).unwrap_or_default())))
}

fn secret<T>(
    config: &Config,
    place: String,
    file: &std::path::Path,
    read: impl FnOnce(&std::path::Path) -> Result<T, SecretFileError>,
) -> Result<T, ConfigError> {
    let file = config.path(file);
    read(&file).map_err(|problem| ConfigError::Secret { place, file, problem })
}

fn vault(config: &Config) -> Result<Vault, ConfigError> {
    let key = |sections::VaultKey { id, file }: &sections::VaultKey| {
        let place = format!("vault.keys, {id}");
        let bytes = secret(config, place.clone(), file, secret_file::key)?;
        VaultKey::new(id, *bytes).map_err(|error| ConfigError::wrong(place, error))
    };
    let keys = config.vault.keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Vault::new(keys).map_err(|error| ConfigError::wrong("vault.keys", error))
}

fn submitter(config: &Config) -> Result<Submitter, ServeError> {
    let smtp = &config.smtp;
    let policy = policy(smtp)?;
    let ehlo_name = EhloName::parse(&smtp.ehlo_name).map_err(|error| ConfigError::wrong("smtp.ehlo_name", error))?;
    let control = smtp.control_host.as_deref().map(host_and_port).transpose()?;
    if let Some((host, _)) = &control {
        let missing = policy.missing(host, None, false);
        if !missing.is_empty() {
            return Err(ConfigError::wrong("smtp.control_host", Missing::list(&missing)).into());
        }
        policy.check_host(host).map_err(|refusal| ConfigError::wrong("smtp.control_host", refusal))?;
    }
    let extra_roots = extra_roots(config)?;
    let limits = Limits::default();
    Ok(Submitter::new(SubmitterOptions { policy, ehlo_name, extra_roots, system_roots: true, limits, control })?)
}

/// What `[smtp]` allows.
pub(crate) fn policy(smtp: &sections::Smtp) -> Result<Policy, ConfigError> {
    let hosts = |setting: &str, written: &[String]| {
        let read = |host: &String| {
            guard::pattern(host).ok_or_else(|| {
                let problem = format!("{host:?} is no name, no *.suffix and no address");
                ConfigError::wrong(format!("smtp.{setting}"), problem)
            })
        };
        written.iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    let mut policy = Policy {
        allow_networks: smtp.allow_networks.clone(),
        allow_hosts: hosts("allow_hosts", &smtp.allow_hosts)?,
        plaintext_hosts: hosts("plaintext_hosts", &smtp.plaintext_hosts)?,
        ..Policy::default()
    };
    policy.allow_ports.extend(&smtp.allow_ports);
    Ok(policy)
}

/// The authorities of `smtp.ca_file`.
pub(crate) fn extra_roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    config.smtp.ca_file.as_ref().map(|file| authorities(config, file)).transpose().map(Option::unwrap_or_default)
}

fn host_and_port(text: &str) -> Result<(String, u16), ConfigError> {
    text.rsplit_once(':')
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| ConfigError::wrong("smtp.control_host", "it is host:port"))
}

fn authorities(config: &Config, file: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let path = config.path(file);
    let none = || ConfigError::wrong("smtp.ca_file", format!("{} holds no certificate", path.display()));
    let found: Vec<_> =
        CertificateDer::pem_file_iter(&path).map_err(|_| none())?.collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn quota(tests: &sections::Tests) -> TestQuota {
    let usual = TestQuota::default();
    TestQuota {
        per_person: tests.per_person.unwrap_or(usual.per_person),
        per_profile: tests.per_profile.unwrap_or(usual.per_profile),
        per_account: tests.per_account.unwrap_or(usual.per_account),
        in_all: tests.in_all.unwrap_or(usual.in_all),
    }
}

fn outbox(config: &Config) -> Result<OutboxOptions, ConfigError> {
    let (usual, given, retention) = (OutboxOptions::default(), config.outbox, config.retention);
    let seconds = |given: Option<NonZeroU32>, usual: Duration| {
        given.map_or(usual, |seconds| Duration::from_secs(u64::from(seconds.get())))
    };
    if retention.metadata_days.is_some_and(|days| days.get() > 3_650) {
        return Err(ConfigError::wrong("retention.metadata_days", "it is a number from 1 to 3,650"));
    }
    let hours = given.give_up_after_hours.unwrap_or(24.0);
    if !(hours.is_finite() && (0.001..=240.0).contains(&hours)) {
        return Err(ConfigError::wrong("outbox.give_up_after_hours", "it is a number from 0.001 to 240"));
    }
    if given.workers.is_some_and(|workers| workers.get() > 1_000) {
        return Err(ConfigError::wrong("outbox.workers", "it is a number from 1 to 1,000"));
    }
    if given.waiting.is_some_and(|waiting| !(4..=10_000).contains(&waiting.get())) {
        return Err(ConfigError::wrong("outbox.waiting", "it is a number from 4 to 10,000"));
    }
    let give_up_after = SignedDuration::try_from_secs_f64(hours * 3_600.0)
        .map_err(|_| ConfigError::wrong("outbox.give_up_after_hours", "it is a number from 0.001 to 240"))?;
    Ok(OutboxOptions {
        workers: given.workers.map_or(usual.workers, NonZeroU32::get),
        waiting: given.waiting.map_or(usual.waiting, NonZeroU32::get),
        per_account: given.per_account.map_or(usual.per_account, NonZeroU32::get),
        connections: given.connections.map_or(usual.connections, NonZeroU32::get),
        first_retry: seconds(given.first_retry_seconds, usual.first_retry),
        longest_retry: seconds(given.longest_retry_seconds, usual.longest_retry),
        give_up_after,
        lease: seconds(given.lease_seconds, usual.lease),
        reply: seconds(given.reply_seconds, usual.reply),
        last_reply: seconds(given.final_seconds, usual.last_reply),
        kept: retention.metadata_days.map_or(usual.kept, |days| SignedDuration::from_hours(24 * i64::from(days.get()))),
        content_kept: retention
            .unsent_body_hours
            .map_or(usual.content_kept, |hours| SignedDuration::from_hours(i64::from(hours))),
    })
}
