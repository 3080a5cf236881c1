//! Connections behind the guard.

use std::time::Duration;

use model::cause::Cause;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use super::{Policy, Refusal, Stream, dial::dial, dns::Dns, tls::Tls};

/// Why no connection can be had at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("no certificate authority is trusted")]
    NoAuthority,
    #[error("cannot parse a certificate authority")]
    Authority(#[source] rustls::Error),
    #[error("cannot verify certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

/// How long each part of opening a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub resolve: Duration,
    pub connect: Duration,
    pub tls: Duration,
}

/// The policy, the machine's DNS servers and the trusted authorities, which every connection shares.
pub struct Network {
    pub(crate) policy: Policy,
    pub(crate) dns: Dns,
    pub(crate) tls: Tls,
}

impl Network {
    /// `extra_roots`: authorities beside the machine's, which are trusted when `system_roots` is set.
    pub fn new(
        policy: Policy,
        system_roots: bool,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, SetupError> {
        Ok(Self { policy, dns: Dns::from_system(), tls: Tls::new(system_roots, extra_roots)? })
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Opens a connection to a host and port that the operator's configuration names, with TLS unless `secure` is false,
    /// which is for hosts that may be spoken to in clear. Its addresses are checked as everywhere; its port is the
    /// operator's choice.
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
