//! Server side. Connections that are no mail: the same guard, the same way out.

use app::diagnosis::cause::Cause;
use tokio::time::Instant;

use super::{Submitter, dial::dial, wire::Stream};

impl Submitter {
    /// Opens a connection to a host and port that the operator's configuration names, with TLS unless `secure` is false,
    /// which is for hosts that may be spoken to in clear. Its addresses are checked as everywhere; its port is the
    /// operator's choice.
    pub(crate) async fn open_stream(&self, host: &str, port: u16, secure: bool) -> Result<Box<dyn Stream>, Cause> {
        let host = self.policy.check_host(host).map_err(super::Refusal::cause)?;
        if !secure && !self.policy.plaintext_allowed(&host) {
            return Err(Cause::HostNotAllowed);
        }
        let limits = self.limits;
        let addresses = self.dns.resolve(&self.policy, &host, port, Instant::now() + limits.resolve).await?;
        let stream = Box::new(dial(&addresses, Instant::now() + limits.connect).await?);
        if !secure {
            return Ok(stream);
        }
        let (stream, _) =
            self.tls.connect(&host, stream, Instant::now() + limits.tls).await.map_err(|failure| failure.cause)?;
        Ok(stream)
    }
}
