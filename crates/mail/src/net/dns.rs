//! Resolves a name to the addresses that may be dialled: one query, one check.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hickory_resolver::{
    Resolver, ResolverBuilder, TokioResolver,
    config::ResolveHosts,
    net::{NetError, runtime::TokioRuntimeProvider},
};
use model::cause::Cause;
use tokio::time::{Instant, timeout_at};

use super::{
    guard::{MOST_ADDRESSES, Policy},
    host::Host,
};

/// The machine's DNS servers. Its hosts file and search domains are used only for hosts that the operator named.
pub(crate) struct Dns {
    /// `None`: the machine has no configuration, and every name fails.
    resolver: Option<TokioResolver>,
    /// A fixed answer to every name, instead of a query.
    #[cfg(test)]
    says: Option<Vec<IpAddr>>,
}

impl Dns {
    /// Reads the machine's configuration. Without one, every name fails as `dns_failed`.
    pub(crate) fn from_system() -> Self {
        match Resolver::builder_tokio().and_then(strict) {
            Ok(resolver) => Self::with(Some(resolver)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no DNS configuration");
                Self::with(None)
            }
        }
    }

    /// Queries this server only.
    #[cfg(test)]
    pub(crate) fn of(server: SocketAddr) -> Self {
        use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
        let mut connection = ConnectionConfig::udp();
        connection.port = server.port();
        let server = NameServerConfig::new(server.ip(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, vec![], vec![server]);
        Self::with(strict(Resolver::builder_with_config(config, TokioRuntimeProvider::default())).ok())
    }

    /// Sends no query.
    #[cfg(test)]
    pub(crate) fn saying(answer: &[IpAddr]) -> Self {
        Self { says: Some(answer.to_vec()), ..Self::with(None) }
    }

    fn with(resolver: Option<TokioResolver>) -> Self {
        Self {
            resolver,
            #[cfg(test)]
            says: None,
        }
    }

    /// The addresses of a host; all of them are allowed by the policy.
    pub(crate) async fn resolve(
        &self,
        policy: &Policy,
        host: &Host,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, Cause> {
        let addresses = if let Some(addresses) = policy.static_addresses(host) {
            addresses.to_vec()
        } else if policy.is_allowed(host) {
            self.ask_the_machine(host, deadline).await?
        } else {
            let addresses = self.ask(host, deadline).await?;
            if let Err(refusal) = policy.check_addresses(host, &addresses) {
                // Reporting that a typed address is refused reveals nothing. Reporting that a name resolves to a
                // private address would reveal the internal network, so such a name is reported as one that does not
                // exist.
                return Err(if host.as_str().parse::<IpAddr>().is_ok() {
                    refusal.cause()
                } else {
                    log_refused(host);
                    Cause::DnsNotFound
                });
            }
            addresses
        };
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// A host that the operator named, resolved the way this machine does it: with its hosts file and search domains,
    /// so that `mailpit` or `mail.internal` resolve as they do on the command line. A name that the machine cannot
    /// resolve is looked up in the DNS, which distinguishes a name that does not exist from a server that does not
    /// respond.
    #[allow(clippy::disallowed_methods, reason = "only for hosts that the operator vouches for")]
    async fn ask_the_machine(&self, host: &Host, deadline: Instant) -> Result<Vec<IpAddr>, Cause> {
        if let Ok(address) = host.as_str().parse() {
            return Ok(vec![address]);
        }
        if host.is_localhost() {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        }
        let known = timeout_at(deadline, tokio::net::lookup_host((host.as_str(), 0))).await;
        let mut addresses: Vec<IpAddr> =
            known.ok().and_then(Result::ok).into_iter().flatten().map(|to| to.ip()).collect();
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
        if addresses.is_empty() { self.ask(host, deadline).await } else { Ok(addresses) }
    }

    async fn ask(&self, host: &Host, deadline: Instant) -> Result<Vec<IpAddr>, Cause> {
        if let Ok(address) = host.as_str().parse() {
            return Ok(vec![address]);
        }
        #[cfg(test)]
        if let Some(answer) = &self.says {
            return Ok(answer.clone());
        }
        let resolver = self.resolver.as_ref().ok_or(Cause::DnsFailed)?;
        // The final dot disables search domains.
        match timeout_at(deadline, resolver.lookup_ip(format!("{host}."))).await {
            Err(_) => Err(Cause::DnsFailed),
            Ok(Ok(answer)) => {
                let addresses: Vec<IpAddr> = answer.iter().take(MOST_ADDRESSES + 1).collect();
                if addresses.is_empty() { Err(Cause::DnsNotFound) } else { Ok(addresses) }
            }
            Ok(Err(error)) if error.is_nx_domain() || error.is_no_records_found() => Err(Cause::DnsNotFound),
            Ok(Err(_)) => Err(Cause::DnsFailed),
        }
    }
}

/// Logs which name resolves to addresses that may not be dialled, for an operator who may want to allow it: a few times
/// a minute.
fn log_refused(host: &Host) {
    const EVERY: Duration = Duration::from_secs(60);
    const MOST: u32 = 10;
    static LOGGED: Mutex<Option<(Instant, u32)>> = Mutex::new(None);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let (since, count) = logged.filter(|(since, _)| since.elapsed() < EVERY).unwrap_or((Instant::now(), 0));
    *logged = Some((since, count + 1));
    if count < MOST {
        tracing::warn!(%host, "the name resolves to addresses that are not allowed: reported as not found");
    }
}

/// Without the hosts file, and with short timeouts: resolving has a deadline of its own.
fn strict(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<TokioResolver, NetError> {
    let options = builder.options_mut();
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = Duration::from_secs(2);
    options.attempts = 2;
    builder.build()
}
