//! Server side. The destinations that `[smtp]` allows, and how mail is submitted.

use std::path::Path;

use mail::{
    net::{
        Policy,
        guard::{self, Missing},
    },
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::ServeError;
use crate::config::{Config, ConfigError, sections};

pub(super) fn submitter(config: &Config) -> Result<Submitter, ServeError> {
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

/// The destinations that `[smtp]` allows.
pub(crate) fn policy(smtp: &sections::Smtp) -> Result<Policy, ConfigError> {
    let hosts = |setting: &str, written: &[String]| {
        let read = |host: &String| {
            guard::pattern(host).ok_or_else(|| {
                let problem = format!("{host:?} is not a name, a *.suffix or an address");
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
        .ok_or_else(|| ConfigError::wrong("smtp.control_host", "must be host:port"))
}

fn authorities(config: &Config, file: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let path = config.path(file);
    let none = || ConfigError::wrong("smtp.ca_file", format!("{} contains no certificate", path.display()));
    let found: Vec<_> =
        CertificateDer::pem_file_iter(&path).map_err(|_| none())?.collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}
