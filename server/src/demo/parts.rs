//! Server side. The parts of the demo's configurator: its portal, and its way to the sandbox.

use std::sync::Arc;

use app::profile::{
    model::Destination,
    preset::{Catalogue, CatalogueError},
    security::Security,
};
use lettre::message::Mailbox;
use mail::{
    net::Policy,
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::{
    DemoError, ISSUER, LOOPBACK,
    keys::{DemoKeys, KeyError},
    sandbox::{self, DOMAIN, Sandbox},
};
use crate::portal::{ApiKey, Portal, PortalKey, Relay};

/// A key for this run, and its hash: the demo's portal and its configurator start and stop together.
pub(super) fn new_api_key() -> Result<(String, [u8; 32]), KeyError> {
    let (key, _) = crate::http::make_key().ok_or(KeyError::Randomness)?;
    let hash = Sha256::digest(key.as_bytes()).into();
    Ok((key, hash))
}

pub(super) fn registered(url: &str, keys: &DemoKeys, sandbox: &Sandbox, hash: &[u8; 32]) -> Result<Portal, KeyError> {
    let key = PortalKey::shared(keys.portal_id(), keys.portal_secret()).ok_or(KeyError::Malformed)?;
    Ok(Portal {
        id: ISSUER.to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![url.to_owned()],
        home: Some(format!("{url}/")),
        time_zone: Some("Europe/Paris".to_owned()),
        keys: vec![key],
        // A test proves that the file is valid.
        require_challenge: false,
        theme: toml::from_str(include_str!("portal/theme.toml")).unwrap_or_default(),
        api_keys: vec![ApiKey { id: "demo".to_owned(), hash: *hash }],
        relay: relay(sandbox).map(Arc::new),
        webhook: None,
    })
}

/// The portal's own mail server is the sandbox, too.
fn relay(sandbox: &Sandbox) -> Option<Relay> {
    Some(Relay {
        destination: Destination {
            host: format!("smtp.{DOMAIN}"),
            port: sandbox.tls_addr().port(),
            security: Security::Tls,
            login: format!("boutique@{DOMAIN}"),
            mechanism: None,
        },
        secret: Some(SecretString::from(sandbox::PASSWORD)),
        sender: Mailbox::new(Some("Comptoir".to_owned()), format!("ne-pas-repondre@{DOMAIN}").parse().ok()?),
        connections: None,
        per_minute: None,
    })
}

/// Connects to public servers as usual, and to the sandbox.
pub(super) fn submitter(sandbox: &Sandbox) -> Result<Submitter, DemoError> {
    let mut policy = Policy::default();
    policy.static_addresses.push((format!("*.{DOMAIN}"), vec![LOOPBACK]));
    // The provider's pages are on plain HTTP, as the configurator's.
    policy.plaintext_hosts.push(super::registration::PROVIDER_HOST.to_owned());
    policy.allow_ports.extend([sandbox.starttls_addr().port(), sandbox.tls_addr().port()]);
    Ok(Submitter::new(SubmitterOptions {
        policy,
        ehlo_name: EhloName::parse("facteur.example")?,
        extra_roots: vec![sandbox.authority()],
        system_roots: true,
        limits: Limits::default(),
        control: Some((format!("smtp.{DOMAIN}"), sandbox.starttls_addr().port())),
    })?)
}

/// The catalogue with the sandbox as its first entry.
pub(super) fn presets(sandbox: &Sandbox, portal_url: &str) -> Result<Catalogue, CatalogueError> {
    let presets = include_str!("sandbox_preset.toml")
        .replace("{tls_port}", &sandbox.tls_addr().port().to_string())
        .replace("{starttls_port}", &sandbox.starttls_addr().port().to_string())
        .replace("{inbox}", &format!("{portal_url}/inbox"));
    let guides = include_str!("sandbox_guide.toml");
    Ok(Catalogue::builtin().preceded_by(Catalogue::parse(&presets, guides)?))
}
