//! Server side. The sections of the configuration file.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use app::theme::GivenTheme;
use ipnet::IpNet;
use serde::Deserialize;

/// Everything an operator sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub vault: Vault,
    pub smtp: Smtp,
    #[serde(default)]
    pub tests: Tests,
    /// The portals that may open the configurator.
    #[serde(rename = "portal", default)]
    pub portals: Vec<Portal>,
    /// Where the file is.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where the browser finds it: `https://facteur.example`, or under a path, `https://portal.example/smtp`; no trailing
    /// slash. Cookies need https; plain http is taken for `localhost` and `127.0.0.1` only.
    pub public_url: String,
    /// Where it listens. TLS is the proxy's business.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 3000))
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The SQLite file; made at the first start.
    pub path: PathBuf,
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
    /// Our name in EHLO: a host name that leads to this machine, or an address literal.
    pub ehlo_name: String,
    /// PEM file with authorities to trust besides the machine's.
    pub ca_file: Option<PathBuf>,
    /// Networks that may be dialled though they are not public.
    #[serde(default)]
    pub allow_networks: Vec<IpNet>,
    /// Hosts whose addresses are not looked at: names, or `*.suffix`.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// Ports besides 465, 587 and 2525.
    #[serde(default)]
    pub allow_ports: Vec<u16>,
    /// Hosts to which a password may be sent without encryption: names, or `*.suffix`.
    #[serde(default)]
    pub plaintext_hosts: Vec<String>,
    /// `host:port` of a server that answers when our own network is well.
    pub control_host: Option<String>,
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

/// `[[portal]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    /// The `iss` of its tokens.
    pub id: String,
    /// What people call it: it stands in the confirmation mail.
    pub name: String,
    /// The origins that may post tokens and frame the pages: `https://portal.example`.
    pub origins: Vec<String>,
    /// Where somebody without a session is sent to.
    pub home: Option<String>,
    /// Two may be valid at once, so that they can be rotated.
    pub keys: Vec<PortalKey>,
    /// How the pages look in it: `scheme`, and `variables`.
    #[serde(default)]
    pub theme: GivenTheme,
}

/// One key of a portal: a secret that it shares (HS256), or its public key (EdDSA, ES256).
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
