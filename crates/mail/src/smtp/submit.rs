//! What a submission is made of, and the one entrance to the conversation.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::BoxFuture;
use lettre::Address;
use model::{report::Report, security::Security, stage::StageEvent};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;

use super::{ComposeError, EhloName, Letter, Mechanism, compose, session};
use crate::net::{Network, Patience, Policy, SetupError};

pub use super::session::{Connection, Fate, Parting};

/// How long each part may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub resolve: Duration,
    pub connect: Duration,
    pub tls: Duration,
    pub reply: Duration,
    /// After so long without a greeting in clear, the port is tried with TLS beside it: it may be the wrong encryption.
    pub doubt: Duration,
    /// The answer to the message itself.
    pub last: Duration,
    pub whole: Duration,
}

impl Limits {
    /// What opening a connection takes of them.
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

/// What every conversation shares.
pub struct SubmitterOptions {
    pub policy: Policy,
    /// Our name in EHLO: set by the operator, never by a user.
    pub ehlo_name: EhloName,
    /// Authorities beside the machine's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether the machine's authorities are trusted.
    pub system_roots: bool,
    pub limits: Limits,
    /// A host and port that answers when our own network is well: tried after a failure, to tell whose it is.
    pub control: Option<(String, u16)>,
}

impl SubmitterOptions {
    /// Public addresses and the submission ports only, no password in clear, the machine's authorities, the default limits.
    pub fn new(ehlo_name: EhloName) -> Self {
        Self {
            policy: Policy::default(),
            ehlo_name,
            extra_roots: Vec::new(),
            system_roots: true,
            limits: Limits::default(),
            control: None,
        }
    }
}

/// A login and its secret, and who counts how often it is shown. The secret does not print.
#[derive(Clone)]
pub struct Credentials {
    pub login: String,
    pub secret: SecretString,
    pub(super) gate: Option<Arc<dyn LoginGate>>,
}

impl Credentials {
    /// Credentials whose logins are counted by `gate`.
    pub fn counted(login: String, secret: SecretString, gate: Arc<dyn LoginGate>) -> Self {
        Self { login, secret, gate: Some(gate) }
    }

    /// Credentials that somebody typed for this one conversation: a tool on the command line, a test.
    pub fn uncounted(login: String, secret: SecretString) -> Self {
        Self { login, secret, gate: None }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

/// One message for one server.
#[derive(Debug, Clone)]
pub struct Submission {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub credentials: Option<Credentials>,
    /// The only mechanism to use; `None` for the best one that the server offers.
    pub mechanism: Option<Mechanism>,
    pub from: Address,
    pub to: Vec<Address>,
    /// An Internet message (RFC 5322), not dot-stuffed.
    pub message: Vec<u8>,
    /// How far to go.
    pub depth: Depth,
}

impl Submission {
    /// A letter for all its recipients, without a login.
    pub fn of(letter: &Letter, host: &str, port: u16, security: Security) -> Result<Self, ComposeError> {
        let recipients = letter.to.iter().chain(&letter.cc).map(|mailbox| mailbox.email.clone());
        Ok(Self {
            host: host.to_owned(),
            port,
            security,
            credentials: None,
            mechanism: None,
            from: letter.from.email.clone(),
            to: recipients.collect(),
            message: compose(letter)?.bytes,
            depth: Depth::Message,
        })
    }

    /// The same with a login, which is not counted: see [`Credentials::uncounted`].
    #[must_use]
    pub fn login(self, login: &str, secret: &str) -> Self {
        Self { credentials: Some(Credentials::uncounted(login.to_owned(), SecretString::from(secret))), ..self }
    }
}

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Until the server has said what it can do, under the wanted encryption. No login.
    Capabilities,
    /// Until the login.
    Login,
    /// Until the recipients: nothing is sent.
    Recipients,
    /// Everything.
    Message,
}

/// Speaks to mail servers.
pub struct Submitter {
    pub(super) network: Arc<Network>,
    pub(super) ehlo_name: EhloName,
    pub(super) limits: Limits,
    pub(super) control: Option<(String, u16)>,
}

impl Submitter {
    pub fn new(options: SubmitterOptions) -> Result<Self, SetupError> {
        let SubmitterOptions { policy, ehlo_name, extra_roots, system_roots, limits, control } = options;
        let network = Arc::new(Network::new(policy, system_roots, &extra_roots)?);
        Ok(Self { network, ehlo_name, limits, control })
    }

    pub fn policy(&self) -> &Policy {
        self.network.policy()
    }

    /// The way out that its conversations take.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Has the conversation, and tells each stage as it ends. It ends within [`Limits::whole`] whatever the server
    /// does; dropping the future closes the connection.
    pub async fn submit(
        &self,
        submission: &Submission,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Report {
        session::run(self, submission, Vec::new(), self.limits, on_stage).await
    }

    /// The same, for whoever may stop it: `commit_point` is asked before the last bytes of the message leave. `None`
    /// when it refused: the server has no message.
    pub async fn submit_committed(
        &self,
        submission: &Submission,
        commit_point: &dyn CommitPoint,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Option<Report> {
        session::run_committed(self, submission, commit_point, on_stage).await
    }

    /// The same conversation for a message of the outbox: it may go over a connection that is open already, leaves it
    /// open when all went well, and asks `commit_point` before the last bytes of the message leave.
    pub async fn deliver(
        &self,
        submission: &Submission,
        connection: Option<Connection>,
        limits: Limits,
        commit_point: &dyn CommitPoint,
    ) -> Delivery {
        session::deliver(self, submission, None, connection, limits, commit_point).await
    }

    /// The same, but the first commands of the `next` message are written together with the end of this one. Each message then
    /// takes one round trip: the final dot may be the first "command" of a group (RFC 2920 §3.1). `next` must go to the same
    /// destination with the same login. Nothing is begun unless the server offers PIPELINING and takes the message with `DATA`.
    /// Afterwards only `next` can follow on the connection ([`Connection::has_begun`]).
    pub async fn deliver_and_begin(
        &self,
        submission: &Submission,
        next: Option<&Submission>,
        connection: Option<Connection>,
        limits: Limits,
        commit_point: &dyn CommitPoint,
    ) -> Delivery {
        session::deliver(self, submission, next, connection, limits, commit_point).await
    }
}

/// Asked when everything but the end of a message has been written: from then on it may be on its way.
#[async_trait]
pub trait CommitPoint: Send + Sync {
    /// Whether the end of a message for the recipients `to` may be written. `false`: the connection is dropped, and the
    /// server has no message.
    async fn reach(&self, to: &[String]) -> bool;
}

/// Asked before each exchange that shows the password to the server, and told how it ended: providers lock accounts after a
/// few that they refuse. What one conversation needs; it may have several exchanges, one after another.
#[async_trait]
pub trait LoginGate: Send + Sync {
    /// Whether the exchange may begin. `false`: the conversation ends as if the server had refused the login for now.
    async fn begin(&self) -> bool;
    async fn ended(&self, outcome: LoginOutcome);
    /// From now on none begins.
    fn stop(&self);
    /// Until none is under way.
    async fn settled(&self);
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginOutcome {
    Accepted,
    /// The server looked at the password and did not take it.
    Refused,
    /// It ended without an answer about the password.
    Unclear,
}

/// Has a conversation until `stop`. A login that is under way then is waited for, so that it is known how it ended; `None` when
/// the conversation was cut.
pub async fn until<T>(
    credentials: Option<&Credentials>,
    mut conversation: BoxFuture<'_, T>,
    stop: impl Future<Output = ()>,
) -> Option<T> {
    tokio::select! {
        biased;
        outcome = &mut conversation => return Some(outcome),
        () = stop => {}
    }
    let gate = credentials.and_then(|credentials| credentials.gate.as_ref())?;
    gate.stop();
    tokio::select! {
        biased;
        outcome = &mut conversation => Some(outcome),
        () = gate.settled() => None,
    }
}

/// What became of a message of the outbox.
pub struct Delivery {
    pub report: Report,
    /// Ready for the next message to the same destination with the same login.
    pub connection: Option<Connection>,
    /// The connection, when it is not left open, until it is closed.
    pub parting: Option<Parting>,
    /// Where a failure left the message; `None`: the conversation reached its end.
    pub fate: Option<Fate>,
    /// The server lost its place, or refused a command only because it was written with the end of a message. Do not begin others
    /// that way.
    pub stumbled: bool,
}
