//! The timeouts of a conversation.

use std::time::Duration;

use crate::net::Patience;

/// The timeouts of a conversation. The default is right for a test that a person watches; a queue may wait longer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the DNS look-up. Default: 5 s.
    pub resolve: Duration,
    /// For the TCP connection, over all addresses of the host. Default: 5 s.
    pub connect: Duration,
    /// For the TLS handshake. Default: 10 s.
    pub tls: Duration,
    /// For each reply of the server but the last. Default: 10 s.
    pub reply: Duration,
    /// After this long without an unencrypted greeting, TLS is tried on a second connection, because the setting for
    /// the encryption may be wrong. A quarter of it on port 465. Default: 1 s.
    pub doubt: Duration,
    /// For the reply to the message itself, which RFC 5321 §4.5.3.2.6 gives 10 minutes. Default: 30 s.
    pub last: Duration,
    /// For the whole conversation; none of the other timeouts extends it. Default: 30 s.
    pub whole: Duration,
}

impl Limits {
    /// The timeouts of opening a connection.
    pub const fn patience(&self) -> Patience {
        Patience { resolve: self.resolve, connect: self.connect, tls: self.tls }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            tls: Duration::from_secs(10),
            reply: Duration::from_secs(10),
            doubt: Duration::from_secs(1),
            last: Duration::from_secs(30),
            whole: Duration::from_secs(30),
        }
    }
}
