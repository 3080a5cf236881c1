//! What a submission consists of, and the only way into the conversation.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures::future::BoxFuture;
use lettre::Address;
use model::{report::Report, security::Security, stage::StageEvent};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;

use super::{ComposeError, EhloName, Letter, Mechanism, compose, session};
use crate::net::{Network, Policy, SetupError};

pub use super::{
    limits::Limits,
    session::{Connection, Fate, Parting},
};

/// The settings that all conversations of a [`Submitter`] share.
pub struct SubmitterOptions {
    /// Which destinations may be dialled.
    pub policy: Policy,
    /// The name of this machine in EHLO: set by the operator, never by a user.
    pub ehlo_name: EhloName,
    /// Certificate authorities to trust in addition to the machine's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether to trust the machine's certificate authorities.
    pub system_roots: bool,
    /// The timeouts of [`Submitter::submit`].
    pub limits: Limits,
    /// A host and port that respond whenever the local network works: contacted after a failed connection, to tell
    /// whether the network or the server is at fault.
    pub control: Option<(String, u16)>,
}

impl SubmitterOptions {
    /// Only public addresses and submission ports, no password without encryption, the machine's authorities, the
    /// default timeouts.
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

/// A username and its secret, and the gate that limits their use. `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    /// The username.
    pub login: String,
    /// The password, or an access token for XOAUTH2 and OAUTHBEARER.
    pub secret: SecretString,
    pub(super) gate: Option<Arc<dyn LoginGate>>,
}

impl Credentials {
    /// Credentials whose login exchanges are limited by `gate`.
    pub fn counted(login: String, secret: SecretString, gate: Arc<dyn LoginGate>) -> Self {
        Self { login, secret, gate: Some(gate) }
    }

    /// Credentials without a limit: for one conversation of a command-line tool or a test.
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
    /// A host name, checked against the policy.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The encryption.
    pub security: Security,
    /// `None`: no login.
    pub credentials: Option<Credentials>,
    /// The only mechanism to use; `None`: the best one for a password that the server offers. XOAUTH2 and OAUTHBEARER
    /// mean that the secret is an access token: if the server does not offer the requested one, the other is used.
    pub mechanism: Option<Mechanism>,
    /// The envelope sender (MAIL FROM).
    pub from: Address,
    /// The envelope recipients (RCPT TO).
    pub to: Vec<Address>,
    /// An Internet message (RFC 5322), without dot-stuffing.
    pub message: Vec<u8>,
    /// How far to go.
    pub depth: Depth,
}

impl Submission {
    /// A submission of a letter to its recipients (`to` and `cc`), without a login.
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

    /// Adds a login, without a limit: see [`Credentials::uncounted`].
    #[must_use]
    pub fn login(self, login: &str, secret: &str) -> Self {
        Self { credentials: Some(Credentials::uncounted(login.to_owned(), SecretString::from(secret))), ..self }
    }
}

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Up to EHLO, with the requested encryption. No login.
    Capabilities,
    /// Up to the login.
    Login,
    /// Up to the recipients: no message is sent.
    Recipients,
    /// All of it: the message is sent.
    Message,
}

/// An SMTP client. One serves any number of conversations at the same time.
pub struct Submitter {
    pub(super) network: Arc<Network>,
    pub(super) ehlo_name: EhloName,
    pub(super) limits: Limits,
    pub(super) control: Option<(String, u16)>,
}

impl Submitter {
    /// A client with these settings. An error means that no certificate authority can be used.
    pub fn new(options: SubmitterOptions) -> Result<Self, SetupError> {
        let SubmitterOptions { policy, ehlo_name, extra_roots, system_roots, limits, control } = options;
        let network = Arc::new(Network::new(policy, system_roots, &extra_roots)?);
        Ok(Self { network, ehlo_name, limits, control })
    }

    /// Which destinations it may dial.
    pub fn policy(&self) -> &Policy {
        self.network.policy()
    }

    /// The network access of its conversations, for other connections behind the same policy.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Runs the conversation and reports each stage when it ends. It ends within [`Limits::whole`], regardless of the
    /// server. Dropping the future closes the connection.
    pub async fn submit(
        &self,
        submission: &Submission,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Report {
        session::run(self, submission, Vec::new(), self.limits, on_stage).await
    }

    /// Like [`submit`](Self::submit), but asks `commit_point` before the last bytes of the message are sent. `None`: it
    /// refused, and the server does not have the message.
    pub async fn submit_committed(
        &self,
        submission: &Submission,
        commit_point: &dyn CommitPoint,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Option<Report> {
        session::run_committed(self, submission, commit_point, on_stage).await
    }

    /// Sends one message of a queue. Uses `connection` if there is one, returns the connection open after a success,
    /// and asks `commit_point` before the last bytes of the message are sent.
    pub async fn deliver(
        &self,
        submission: &Submission,
        connection: Option<Connection>,
        limits: Limits,
        commit_point: &dyn CommitPoint,
    ) -> Delivery {
        session::deliver(self, submission, None, connection, limits, commit_point).await
    }

    /// Like [`deliver`](Self::deliver), but sends the first commands of the `next` message together with the end of
    /// this one, so that each message takes one round trip: the final dot may be the first "command" of a group (RFC
    /// 2920 §3.1). `next` must go to the same destination with the same login. It is begun only if the server offers
    /// PIPELINING and this message uses `DATA`. Afterwards the connection can carry only `next`
    /// ([`Connection::has_begun`]).
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

/// Decides, after all but the end of a message is written, whether the end may be sent. From then on the server may
/// have it.
#[async_trait]
pub trait CommitPoint: Send + Sync {
    /// Whether the end of a message for the recipients `to` may be sent. `false`: the connection is dropped, and the
    /// server does not have the message.
    async fn reach(&self, to: &[String]) -> bool;
}

/// Limits the logins of one conversation: it is asked before each exchange that shows the password to the server, and
/// gets the result. Providers lock accounts after a few refused passwords. A conversation may have several exchanges,
/// one after another.
#[async_trait]
pub trait LoginGate: Send + Sync {
    /// Whether an exchange may begin. `false`: the conversation ends as after a temporary refusal of the login.
    async fn begin(&self) -> bool;
    /// The exchange has ended with this result. Called once for each exchange that began.
    async fn ended(&self, outcome: LoginOutcome);
    /// From now on `begin` refuses.
    fn stop(&self);
    /// Waits until no exchange is in progress.
    async fn settled(&self);
}

/// The result of one login exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The server accepted the login.
    Accepted,
    /// The server checked the password and refused it.
    Refused,
    /// The exchange ended without a decision about the password.
    Unclear,
}

/// Runs a conversation until `stop`. A login in progress is then allowed to finish, so that its result is known.
/// `None`: the conversation was cancelled.
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

/// The outcome of [`Submitter::deliver`].
pub struct Delivery {
    /// The report of the conversation.
    pub report: Report,
    /// The open connection, for the next message to the same destination with the same login.
    pub connection: Option<Connection>,
    /// The connection that was not left open, until it is closed.
    pub parting: Option<Parting>,
    /// What a failure means for the message; `None`: the conversation succeeded.
    pub fate: Option<Fate>,
    /// The server lost track of a group of commands, or refused a command only because it was sent with the end of a
    /// message. Use [`Connection::end_alone`] for it from now on.
    pub stumbled: bool,
}
