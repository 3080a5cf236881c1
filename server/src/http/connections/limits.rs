//! Server side. The limits on client connections.

use std::time::Duration;

use super::forwarded::Proxies;

/// Limits on client connections.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Connections at once, in total.
    pub connections: usize,
    /// Connections at once from one address; behind a trusted proxy, requests at once.
    pub per_address: usize,
    /// Trusted proxies. They have no limit per address; the clients they forward for have one.
    pub proxies: Proxies,
    /// How long the headers of a request may take.
    pub headers: Duration,
    /// Longest time spent waiting for a body.
    pub body: Duration,
    /// Idle timeout of a connection. Longer than a proxy's, which would otherwise send into a connection that is being
    /// closed.
    pub idle: Duration,
    /// How long a client may leave a response unread.
    pub unread: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            per_address: 1_000,
            proxies: Proxies::default(),
            headers: Duration::from_secs(10),
            body: Duration::from_secs(120),
            idle: Duration::from_secs(75),
            unread: Duration::from_secs(30),
        }
    }
}
