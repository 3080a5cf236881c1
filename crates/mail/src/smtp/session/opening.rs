//! From a name to a server that answered EHLO: the guard, TCP, TLS, greeting, EHLO, STARTTLS.

use model::{cause::Cause, report::Finding, security::Security, stage::Stage};
use tokio::time::Instant;

use super::{Failure, Session};
use crate::{
    net::{Host, Network, Refusal, Stream, dial::dial, guard::Missing},
    reply::Reply,
    smtp::{
        Submission,
        auth::{Server, allowed, fits},
        capabilities::Capabilities,
        submit::Credentials,
        wire::{Wire, WireError},
    },
};

impl Session<'_> {
    /// Asks the guard before any connection is opened.
    pub(super) fn permitted(&mut self) -> Result<Host, Failure> {
        let Submission { host, port, security, credentials, .. } = self.submission;
        let policy = &self.submitter.network.policy;
        let in_clear = *security == Security::None && credentials.is_some();
        let missing = policy.missing(host, Some(*port), in_clear);
        if !missing.is_empty() {
            // For the operator only: an account must not learn what could be allowed.
            tracing::info!(missing = %Missing::list(&missing), "a destination is refused");
        }
        let refused = |refusal: Refusal| Failure::new(Stage::Resolve, refusal.cause(), false);
        let host = policy.check_host(host).map_err(refused)?;
        policy.check_port(*port).map_err(refused)?;
        if in_clear && !policy.plaintext_allowed(&host) {
            // Our own rule requires encryption first.
            return Err(Failure::found(Stage::Resolve, Cause::StarttlsRequired, Finding::PasswordInClear));
        }
        let forbidden = |text: &str| text.chars().any(char::is_control);
        if let Some(Credentials { login, secret, .. }) = credentials
            && (forbidden(login) || forbidden(secrecy::ExposeSecret::expose_secret(secret)))
        {
            return Err(Failure::found(Stage::Resolve, Cause::BadCredentials, Finding::ControlCharacters));
        }
        if let Some(Credentials { login, secret, .. }) = credentials {
            let server = Server { host: host.as_str(), port: *port };
            let mechanisms = allowed(self.submission.mechanism, !in_clear);
            if !mechanisms.into_iter().any(|mechanism| fits(mechanism, server, login, secret)) {
                return Err(Failure::found(Stage::Resolve, Cause::BadCredentials, Finding::SecretTooLong));
            }
        }
        self.host = Some(host.clone());
        Ok(host)
    }

    pub(super) async fn connect(&mut self, host: &Host) -> Result<Wire, Failure> {
        if self.addresses.is_empty() {
            self.addresses = self.resolve(host).await?;
        }
        self.passed(Stage::Resolve, None);
        let connected = dial(&self.addresses, self.limit(self.limits.connect)).await;
        let stream =
            connected.map_err(|cause| Failure::new(Stage::Connect, cause, !matches!(cause, Cause::HostNotAllowed)))?;
        self.round_trips += 1;
        self.passed(Stage::Connect, None);
        if self.submission.security != Security::Tls {
            return Ok(Wire::new(Box::new(stream)));
        }
        let stream = self.shake_hands(host, Box::new(stream)).await?;
        self.passed(Stage::Tls, None);
        Ok(Wire::new(stream))
    }

    async fn resolve(&self, host: &Host) -> Result<Vec<std::net::SocketAddr>, Failure> {
        let Network { dns, policy, .. } = &*self.submitter.network;
        dns.resolve(policy, host, self.submission.port, self.limit(self.limits.resolve))
            .await
            .map_err(|cause| {
                if cause == Cause::HostNotAllowed {
                    tracing::info!(%host, "an address is not public, and neither smtp.allow_networks nor smtp.allow_hosts allows it");
                }
                Failure::new(Stage::Resolve, cause, cause == Cause::DnsFailed)
            })
    }

    pub(super) async fn shake_hands(
        &mut self,
        host: &Host,
        stream: Box<dyn Stream>,
    ) -> Result<Box<dyn Stream>, Failure> {
        let deadline = self.limit(self.limits.tls);
        match self.submitter.network.tls.connect(host, stream, deadline).await {
            Ok((stream, summary)) => {
                self.round_trips += 1;
                self.tls = Some(summary);
                Ok(stream)
            }
            Err(failure) => {
                self.tls = failure.summary;
                // After STARTTLS the port was right, but the server continued without encryption.
                let refused = failure.is_plaintext && self.submission.security == Security::Starttls;
                let cause = if refused { Cause::StarttlsNotOffered } else { failure.cause };
                Err(Failure::new(Stage::Tls, cause, matches!(cause, Cause::Timeout | Cause::ConnectionLost)))
            }
        }
    }

    pub(super) async fn greet(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let reply = self.greeting(wire).await?;
        self.round_trips += 1;
        self.hear(&reply);
        let foreign = reply.text().to_ascii_uppercase();
        if reply.code == 220 && foreign.contains("FTP") && !foreign.contains("SMTP") {
            return Err(Failure::new(Stage::Greeting, Cause::NotSubmissionServer, false));
        }
        self.expect(Stage::Greeting, &reply, 220)?;
        self.passed(Stage::Greeting, Some(&reply));
        Ok(())
    }

    /// Reads the first reply. Anything else comes from a server of another protocol; its text is not shown.
    pub(super) async fn greeting(&mut self, wire: &mut Wire) -> Result<Reply, Failure> {
        let limits = self.limits;
        let deadline = self.limit(limits.reply);
        let in_clear = self.submission.security != Security::Tls;
        // Port 465 expects TLS from the first byte (RFC 8314 §3.3), so a plain greeting is unlikely: wait less.
        let doubt = if self.submission.port == 465 { limits.doubt / 4 } else { limits.doubt };
        let doubt = if in_clear { deadline.min(Instant::now() + doubt) } else { deadline };
        let mut heard = wire.read_reply(doubt).await;
        if heard == Err(WireError::Timeout) && in_clear {
            // A greeting that has begun is read to its end: some servers pause between its lines.
            if wire.peek().is_empty() && self.speaks_tls().await {
                return Err(Failure::new(Stage::Greeting, Cause::TlsPortMismatch, false));
            }
            heard = wire.read_reply(deadline).await;
        }
        heard.map_err(|error| match error {
            WireError::Malformed => Failure::new(Stage::Greeting, Cause::NotSubmissionServer, false),
            other => Failure::wire(Stage::Greeting, other),
        })
    }

    /// Whether the port answers TLS from the first byte.
    pub(super) async fn speaks_tls(&self) -> bool {
        let tls = &self.submitter.network.tls;
        let deadline = self.limit(self.limits.doubt);
        let Some(host) = &self.host else {
            return false;
        };
        let Ok(stream) = dial(&self.addresses, deadline).await else {
            return false;
        };
        match tls.connect(host, Box::new(stream), deadline).await {
            Ok(_) => true,
            Err(failure) => failure.summary.is_some(),
        }
    }

    pub(super) async fn hello(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        // A reply that is here already is none to the command that follows.
        let _ = wire.look().await;
        if wire.missing().is_none() {
            return Err(self.unasked(Stage::Ehlo));
        }
        let name = self.submitter.ehlo_name.as_str();
        let reply = self.ask(wire, Stage::Ehlo, &format!("EHLO {name}")).await?;
        if reply.code == 250 {
            self.capabilities = Capabilities::parse(&reply);
            return Ok(());
        }
        // Only a server that does not support EHLO gets HELO (RFC 5321 §3.2).
        if reply.is_transient() || reply.is_positive() {
            return self.expect(Stage::Ehlo, &reply, 250);
        }
        let reply = self.ask(wire, Stage::Ehlo, &format!("HELO {name}")).await?;
        self.capabilities = Capabilities::default();
        self.expect(Stage::Ehlo, &reply, 250)
    }

    pub(super) async fn upgrade(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        self.passed(Stage::Ehlo, None);
        if !self.capabilities.starttls {
            return Err(Failure::new(Stage::Starttls, Cause::StarttlsNotOffered, false));
        }
        let reply = self.ask(wire, Stage::Starttls, "STARTTLS").await?;
        if reply.code != 220 {
            let words = Some(self.transcript.shown(&reply.words()));
            let failure = Failure::new(Stage::Starttls, Cause::StarttlsNotOffered, reply.is_transient());
            return Err(Failure { reply: words, ..failure });
        }
        let stream = wire
            .take_stream()
            .await
            .ok_or_else(|| Failure::found(Stage::Starttls, Cause::ProtocolError, Finding::BytesBeforeTls))?;
        self.passed(Stage::Starttls, Some(&reply));
        let stream = self.shake_hands(host, stream).await?;
        self.passed(Stage::Tls, None);
        wire.resume(stream);
        self.hello(wire).await
    }
}
