//! Connections behind the guard.

use std::time::Duration;

use model::cause::Cause;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use super::{Policy, Refusal, Stream, dial::dial, dns::Dns, tls::Tls};

/// Why no connection is possible at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Neither the machine nor the caller provides a certificate authority.
    #[error("no certificate authority is trusted")]
    NoAuthority,
    /// One of the given authorities is not a valid certificate.
    #[error("cannot parse a certificate authority")]
    Authority(#[source] rustls::Error),
    /// The verifier of certificates cannot be built.
    #[error("cannot verify certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

/// The timeouts of opening a connection.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the DNS look-up.
    pub resolve: Duration,
    /// For TCP, over all addresses.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
}

/// The policy, the machine's DNS servers and the trusted authorities, shared by all connections.
pub struct Network {
    pub(crate) policy: Policy,
    pub(crate) dns: Dns,
    pub(crate) tls: Tls,
}

impl Network {
    /// `extra_roots`: authorities to trust in addition to the machine's, which are trusted if `system_roots` is set.
    pub fn new(
        policy: Policy,
        system_roots: bool,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, SetupError> {
        Ok(Self { policy, dns: Dns::from_system(), tls: Tls::new(system_roots, extra_roots)? })
    }

    /// The policy that every connection is checked against.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Opens a connection to a host and port from the operator's configuration, with TLS unless `secure` is false,
    /// which is allowed only for `plaintext_hosts`. Its addresses are checked like all others; its port is not.
    pub async fn open(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        patience: Patience,
    ) -> Result<Box<dyn Stream>, Cause> {
        let host = self.policy.check_host(host).map_err(Refusal::cause)?;
        if !secure && !self.policy.plaintext_allowed(&host) {
            return Err(Cause::HostNotAllowed);
        }
        let addresses = self.dns.resolve(&self.policy, &host, port, Instant::now() + patience.resolve).await?;
        let stream = Box::new(dial(&addresses, Instant::now() + patience.connect).await?);
        if !secure {
            return Ok(stream);
        }
        let connected = self.tls.connect(&host, stream, Instant::now() + patience.tls).await;
        connected.map(|(stream, _)| stream).map_err(|failure| failure.cause)
    }
}
