//! Server side. `facteur serve`: from a configuration to a running application, and to its end.

use std::{future::Future, path::PathBuf, sync::Arc};

use app::{place::Place, profile::preset::Catalogue, theme::Theme};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::net::TcpListener;

use crate::{
    Parts, application,
    config::{
        self, Config, ConfigError,
        secret_file::{self, SecretFileError},
        sections,
    },
    portal_auth::{Portal, PortalKey},
    smtp::{EhloName, Limits, Policy, SetupError, Submitter, SubmitterOptions},
    store::{StoreError, sqlite::SqliteStore},
    tester::TestQuota,
    vault::{CanaryError, Vault, VaultKey},
};

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the database {0} cannot be used")]
    Store(PathBuf, #[source] StoreError),
    #[error(transparent)]
    Canary(#[from] CanaryError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("{0} cannot be listened on")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    #[error("the server stopped")]
    Serve(#[source] std::io::Error),
}

/// An application that is ready to serve: everything it needs was read and checked.
pub struct Service {
    router: axum::Router,
    listen: std::net::SocketAddr,
    store: SqliteStore,
}

impl Service {
    /// Reads what the configuration names, opens the database and checks that the vault's keys are its own.
    pub async fn prepare(config: &Config) -> Result<Self, ServeError> {
        let (public_origin, place) = public_address(&config.server.public_url)?;
        let vault = vault(config)?;
        let portals = config.portals.iter().map(|portal| portal_of(config, portal)).collect::<Result<Vec<_>, _>>()?;
        check_portals(&portals)?;
        let submitter = submitter(config)?;
        let path = config.path(&config.database.path);
        let store = SqliteStore::open(&path).await.map_err(|error| ServeError::Store(path, error))?;
        vault.check(&store).await?;
        let router = application(Parts {
            public_origin,
            place,
            portals,
            store: Arc::new(store.clone()),
            vault,
            submitter: Arc::new(submitter),
            presets: Arc::new(Catalogue::builtin()),
            quota: quota(&config.tests),
            clock: config::clock(),
        });
        Ok(Self { router, listen: config.server.listen, store })
    }

    /// Serves until `stop` is done; requests under way are answered.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let listener = TcpListener::bind(self.listen).await.map_err(|error| ServeError::Listen(self.listen, error))?;
        tracing::info!(listen = %self.listen, "serving");
        axum::serve(listener, self.router).with_graceful_shutdown(stop).await.map_err(ServeError::Serve)?;
        self.store.close().await;
        tracing::info!("stopped");
        Ok(())
    }

    /// Closes the database: `facteur config check` goes no further.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// The origin of the public URL, and the path below it. Session cookies are `Secure`: without https only this machine's
/// browser keeps them.
fn public_address(url: &str) -> Result<(String, Place), ConfigError> {
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
    Ok((origin, Place(path.map(|path| format!("/{path}")).unwrap_or_default())))
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

fn portal_of(config: &Config, portal: &sections::Portal) -> Result<Portal, ConfigError> {
    let sections::Portal { id, name, origins, home, keys, theme } = portal;
    let place = format!("portal {id}");
    if origins.is_empty() {
        return Err(ConfigError::wrong(place, "it needs at least one origin"));
    }
    for origin in origins {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
        if rest.is_empty()
            || rest.contains(['/', '?', '#', '@', ' ', '*', ';', ','])
            || *origin != origin.to_ascii_lowercase()
        {
            let problem = format!("{origin} is not an origin such as https://portal.example");
            return Err(ConfigError::wrong(place, problem));
        }
    }
    let keys = keys.iter().map(|key| portal_key(config, &place, key)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(ConfigError::wrong(place, "it needs at least one key"));
    }
    let (_, refused) = Theme::read([theme]);
    if !refused.is_empty() {
        let problem =
            format!("{} is unknown, or its value is not one (docs/embedding.md lists them)", refused.join(", "));
        return Err(ConfigError::wrong(format!("{place}, theme"), problem));
    }
    Ok(Portal {
        id: id.clone(),
        name: name.clone(),
        origins: origins.clone(),
        home: home.clone(),
        keys,
        theme: theme.clone(),
    })
}

fn portal_key(config: &Config, portal: &str, key: &sections::PortalKey) -> Result<PortalKey, ConfigError> {
    let place = format!("{portal}, key {}", key.id);
    match (&key.secret_file, &key.public_key_file) {
        (Some(file), None) => {
            let bytes = secret(config, place.clone(), file, secret_file::shared)?;
            PortalKey::shared(&key.id, &bytes).ok_or_else(|| ConfigError::wrong(place, SecretFileError::Short))
        }
        (None, Some(file)) => {
            let path = config.path(file);
            let pem = std::fs::read(&path).map_err(|_| ConfigError::Missing(path))?;
            PortalKey::public(&key.id, &pem)
                .ok_or_else(|| ConfigError::wrong(place, "it is no Ed25519 or P-256 public key in PEM"))
        }
        _ => Err(ConfigError::wrong(place, "it needs one of secret_file and public_key_file")),
    }
}

/// A token names its key by origin and id: two portals must not be told apart by chance.
fn check_portals(portals: &[Portal]) -> Result<(), ConfigError> {
    for (at, portal) in portals.iter().enumerate() {
        for other in &portals[..at] {
            if other.id == portal.id {
                return Err(ConfigError::wrong(format!("portal {}", portal.id), "it stands twice"));
            }
        }
        for (at, key) in portal.keys.iter().enumerate() {
            if portal.keys[..at].iter().any(|other| other.id == key.id) {
                return Err(ConfigError::wrong(format!("portal {}, key {}", portal.id, key.id), "it stands twice"));
            }
        }
    }
    Ok(())
}

fn submitter(config: &Config) -> Result<Submitter, ServeError> {
    let smtp = &config.smtp;
    let mut policy = Policy {
        allow_networks: smtp.allow_networks.clone(),
        allow_hosts: smtp.allow_hosts.clone(),
        plaintext_hosts: smtp.plaintext_hosts.clone(),
        ..Policy::default()
    };
    policy.allow_ports.extend(&smtp.allow_ports);
    let ehlo_name = EhloName::parse(&smtp.ehlo_name).map_err(|error| ConfigError::wrong("smtp.ehlo_name", error))?;
    let control = smtp.control_host.as_deref().map(host_and_port).transpose()?;
    let extra_roots = smtp.ca_file.as_ref().map(|file| authorities(config, file)).transpose()?.unwrap_or_default();
    let limits = Limits::default();
    Ok(Submitter::new(SubmitterOptions { policy, ehlo_name, extra_roots, system_roots: true, limits, control })?)
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
