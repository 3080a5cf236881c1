//! Server side. The sections of the configuration file.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use app::theme::GivenTheme;
use ipnet::IpNet;
use serde::Deserialize;

use crate::http::ForwardedHeader;

mod oauth;

pub use oauth::{Oauth, OauthServer};

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub vault: Vault,
    pub smtp: Smtp,
    #[serde(default)]
    pub profiles: Profiles,
    #[serde(default)]
    pub tests: Tests,
    #[serde(default)]
    pub outbox: Outbox,
    #[serde(default)]
    pub retention: Retention,
    pub metrics: Option<Metrics>,
    /// Registrations with providers at which owners sign in.
    #[serde(default)]
    pub oauth: Vec<Oauth>,
    /// The portals that may open the configurator.
    #[serde(rename = "portal", default)]
    pub portals: Vec<Portal>,
    /// The folder of the file.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The URL in the browser: `https://facteur.example`, or with a path, `https://portal.example/smtp`; no trailing
    /// slash. Cookies need https; plain http is accepted for `localhost` and `127.0.0.1` only.
    pub public_url: String,
    /// The address to listen on. The proxy provides TLS.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Client connections at once: 1 to 50,000.
    pub connections: Option<NonZeroU32>,
    /// Connections at once from one address; default: half of `connections`. Behind a trusted proxy: requests at once.
    pub connections_per_address: Option<NonZeroU32>,
    /// Trusted proxies: their connections have no limit of their own, and the client addresses they forward are used.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// The header with the client's address; the other one is ignored.
    #[serde(default)]
    pub forwarded_header: ForwardedHeader,
    /// How long the headers of a request may take, in seconds.
    pub header_seconds: Option<NonZeroU32>,
    /// Longest wait for a body, in seconds.
    pub body_seconds: Option<NonZeroU32>,
    /// Idle timeout of a connection, in seconds.
    pub idle_seconds: Option<NonZeroU32>,
    /// Memory for bodies of messages, in MiB: in total, and for the large ones of one portal. 40 to 65,536.
    pub body_memory_mb: Option<NonZeroU32>,
    pub portal_body_memory_mb: Option<NonZeroU32>,
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 3000))
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The SQLite file; created at the first start.
    pub path: Option<PathBuf>,
    /// PostgreSQL's URL, instead: `postgres://facteur@db.example/facteur?sslmode=verify-full`.
    pub url: Option<DatabaseUrl>,
    /// File with that URL, for a URL with a password.
    pub url_file: Option<PathBuf>,
    /// Connections to PostgreSQL: 2 to 1,000.
    pub pool_size: Option<NonZeroU32>,
}

/// A URL that may contain a password: `Debug` hides it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(pub String);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// `[vault]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The first one seals, all of them open.
    pub keys: Vec<VaultKey>,
}

/// One key of `[vault]`: `{ id = "2026-11", file = "keys/2026-11" }`, made by `facteur keys new`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultKey {
    pub id: String,
    pub file: PathBuf,
}

/// `[smtp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Our name in EHLO: a host name that resolves to this machine, or an address literal.
    pub ehlo_name: String,
    /// PEM file with authorities to trust in addition to the machine's.
    pub ca_file: Option<PathBuf>,
    /// Networks that may be dialled though they are not public.
    #[serde(default)]
    pub allow_networks: Vec<IpNet>,
    /// Hosts whose addresses are not checked: names, or `*.suffix`.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// Allowed ports besides 465, 587 and 2525.
    #[serde(default)]
    pub allow_ports: Vec<u16>,
    /// Hosts to which a password may be sent without encryption: names, or `*.suffix`.
    #[serde(default)]
    pub plaintext_hosts: Vec<String>,
    /// `host:port` of a known-good server, to tell our own outage from a mail server's.
    pub control_host: Option<String>,
}

/// `[profiles]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profiles {
    /// Most profiles of an account.
    pub per_account: NonZeroU32,
}

impl Default for Profiles {
    fn default() -> Self {
        Self { per_account: NonZeroU32::new(crate::profiles::MOST_PROFILES).unwrap_or(NonZeroU32::MIN) }
    }
}

/// `[tests]`: how often **Tester** may be pressed, per minute.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tests {
    pub per_person: Option<NonZeroU32>,
    pub per_profile: Option<NonZeroU32>,
    pub per_account: Option<NonZeroU32>,
    pub in_all: Option<NonZeroU32>,
}

/// `[outbox]`: how messages are sent. Times in seconds, unless their name says hours.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbox {
    /// Conversations at once that have just begun, in total: 1 to 1,000.
    pub workers: Option<NonZeroU32>,
    /// Conversations that wait for slow servers, beside them: 4 to 10,000.
    pub waiting: Option<NonZeroU32>,
    /// Conversations of one account at once, of either kind.
    pub per_account: Option<NonZeroU32>,
    /// Connections at once to one server, unless its preset, profile or relay says otherwise.
    pub connections: Option<NonZeroU32>,
    /// Before the second try; doubled after each further one.
    pub first_retry_seconds: Option<NonZeroU32>,
    pub longest_retry_seconds: Option<NonZeroU32>,
    /// A message that could not be sent for this long has failed. Fractions are allowed.
    pub give_up_after_hours: Option<f64>,
    /// After a crash, a message that was being sent is recovered after this time.
    pub lease_seconds: Option<NonZeroU32>,
    /// How long a mail server may take to reply.
    pub reply_seconds: Option<NonZeroU32>,
    /// How long it may take to reply to a message.
    pub final_seconds: Option<NonZeroU32>,
}

/// `[retention]`: how long sent messages are kept.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// The record of a finished message: 1 to 3,650 days.
    pub metadata_days: Option<NonZeroU32>,
    /// Text and files of a message that failed, or whose delivery is unknown; those of an accepted one are deleted at
    /// once.
    pub unsent_body_hours: Option<u32>,
}

/// `[metrics]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The address of `/metrics` for Prometheus: one of its own, which no visitor can reach.
    pub listen: SocketAddr,
}

/// `[[portal]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    /// The `iss` of its tokens.
    pub id: String,
    /// Its name for people, in the confirmation mail.
    pub name: String,
    /// The origins that may post tokens and frame the pages: `https://portal.example`.
    pub origins: Vec<String>,
    /// The page for visitors without a session.
    pub home: Option<String>,
    /// Several may be valid at once, so that they can be rotated.
    /// The time zone of readers whose token names none, such as `Europe/Paris`. Without one, times are in UTC.
    pub time_zone: Option<String>,
    pub keys: Vec<PortalKey>,
    /// Whether tokens without a `challenge` are refused: those of plain links and forms.
    #[serde(default)]
    pub require_challenge: bool,
    /// The theme of the pages in this portal: `scheme`, and `variables`.
    #[serde(default)]
    pub theme: GivenTheme,
    /// Keys with which its server calls the API. Several may be valid at once.
    #[serde(default)]
    pub api_keys: Vec<ApiKey>,
    pub relay: Option<Relay>,
    pub webhook: Option<Webhook>,
}

/// One API key of a portal, as `facteur keys api` prints it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
}

/// `[portal.relay]`: the mail server of accounts that have none of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    /// `tls`, `starttls` or `none`.
    pub security: String,
    /// Together with `secret_file`, or neither.
    pub login: Option<String>,
    pub secret_file: Option<PathBuf>,
    pub sender_address: String,
    pub sender_name: Option<String>,
    pub connections: Option<NonZeroU32>,
    pub per_minute: Option<NonZeroU32>,
}

/// `[portal.webhook]`: the portal's endpoint for events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: String,
    /// Files with `whsec_` and base64, as `facteur keys webhook` writes them. Each of them signs.
    pub secret_files: Vec<PathBuf>,
}

/// One key of a portal: a shared secret (HS256), or its public key (EdDSA, ES256).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalKey {
    /// The `kid` of its tokens.
    pub id: String,
    /// File with a secret of at least 32 bytes.
    pub secret_file: Option<PathBuf>,
    /// PEM file with an Ed25519 or P-256 public key.
    pub public_key_file: Option<PathBuf>,
}
