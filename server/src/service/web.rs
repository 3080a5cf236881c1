//! Server side. `[server]`: the public address, limits on connections and bodies.

use std::{num::NonZeroU32, time::Duration};

use app::base_path::BasePath;

use super::descriptors;
use crate::{
    config::{Config, ConfigError, sections},
    http::{BodyBudget, ConnectionLimits, Proxies},
    outbox::OutboxOptions,
};

/// The origin of the public URL, and the path below it. Session cookies are `Secure`: without https only a browser on
/// this machine keeps them.
pub(super) fn public_address(url: &str) -> Result<(String, BasePath), ConfigError> {
    let wrong = |problem: &str| ConfigError::wrong("server.public_url", problem);
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("must begin with https://"))?;
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    if authority.is_empty() || authority.contains(['?', '#', '@', ' ', '\\']) {
        return Err(wrong("must be scheme, host and port, such as https://facteur.example, and optionally a path"));
    }
    let segment =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if path.is_some_and(|path| !path.split('/').all(segment)) {
        return Err(wrong("its path may contain letters, digits, - and _, and must not end in a slash"));
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if scheme != "https" && !(scheme == "http" && ["localhost", "127.0.0.1", "[::1]"].contains(&host)) {
        return Err(wrong("must be https: browsers keep the session's cookie on a secure connection only"));
    }
    let origin = format!("{scheme}://{}", authority.to_ascii_lowercase());
    Ok((origin, BasePath(path.map(|path| format!("/{path}")).unwrap_or_default())))
}

pub(super) fn connection_limits(config: &Config) -> Result<ConnectionLimits, ConfigError> {
    let (usual, given) = (ConnectionLimits::default(), &config.server);
    let seconds = |given: Option<NonZeroU32>, usual: Duration| {
        given.map_or(usual, |seconds| Duration::from_secs(u64::from(seconds.get())))
    };
    let count = |given: Option<NonZeroU32>, usual: usize| given.map_or(usual, |count| count.get() as usize);
    if given.connections.is_some_and(|connections| connections.get() > 50_000) {
        return Err(ConfigError::wrong("server.connections", "must be a number from 1 to 50,000"));
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

pub(super) fn bodies(server: &sections::Server) -> Result<BodyBudget, ConfigError> {
    let usual = BodyBudget::default();
    let size = |name: &str, given: Option<NonZeroU32>, usual: usize| match given.map(NonZeroU32::get) {
        None => Ok(usual),
        Some(size @ 40..=65_536) => Ok(size as usize),
        Some(_) => Err(ConfigError::wrong(name, "must be a number of MiB from 40 to 65,536")),
    };
    Ok(BodyBudget {
        in_all: size("server.body_memory_mb", server.body_memory_mb, usual.in_all)?,
        per_portal: size("server.portal_body_memory_mb", server.portal_body_memory_mb, usual.per_portal)?,
    })
}
