//! Runs one SMTP conversation and says how far it got.
//!
//! The order of the stages is the order of the protocol; each has its own deadline, and all of them the whole's.

use std::{net::SocketAddr, time::Duration};

use model::{
    cause::Cause,
    report::{Finding, RecipientResult, Report, TlsSummary},
    security::Security,
    stage::{Outcome, Stage, StageEvent},
};
use tokio::time::Instant;

use super::{
    Mechanism, Submission, Submitter,
    auth::{Exchange, Step, candidates},
    capabilities::Capabilities,
    submit::{CommitPoint, Credentials, Delivery, Depth, Limits, LoginGate, LoginOutcome},
    transcript::{Redactor, Transcript},
    wire::{Wire, WireError},
};
use crate::{net::Host, reply::Reply};
use transaction::BeforeTheEnd;

mod opening;
mod recipients;
mod report;
mod reuse;
mod steps;
mod transaction;

pub use reuse::Connection;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the conversation ended early.
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Failure {
    stage: Stage,
    cause: Cause,
    retryable: bool,
    reply: Option<String>,
    /// What we found by ourselves, where no words of the server's say it.
    finding: Option<Finding>,
    /// The message may be on its way.
    after_the_dot: bool,
    /// The gate stayed shut: the message was not sent to its end.
    withheld: bool,
    /// The server lost its way in a group of commands, and has no message: one command at a time may do.
    out_of_step: bool,
}

impl Failure {
    fn new(stage: Stage, cause: Cause, retryable: bool) -> Self {
        Self {
            stage,
            cause,
            retryable,
            reply: None,
            finding: None,
            after_the_dot: false,
            withheld: false,
            out_of_step: false,
        }
    }

    fn found(stage: Stage, cause: Cause, finding: Finding) -> Self {
        Self { finding: Some(finding), ..Self::new(stage, cause, false) }
    }

    fn wire(stage: Stage, error: WireError) -> Self {
        Self::new(stage, error.cause(), error.is_transient())
    }
}

/// How one exchange of a login ended.
enum Exchanged {
    Done,
    /// Refused with this code, and to be tried once more in another form.
    Again(Failure, u16),
    Refused(Failure, u16),
    /// The server broke the rules of the mechanism.
    Broken(Failure),
}

impl Exchanged {
    /// What it says of the password.
    fn outcome(&self) -> LoginOutcome {
        match self {
            Self::Done => LoginOutcome::Accepted,
            // The command or mechanism is not there (RFC 5321 §4.2.4), or is wanted under TLS (RFC 4954 §6): nobody looked at
            // the password.
            Self::Again(_, 500..=504 | 530 | 538) | Self::Refused(_, 500..=504 | 530 | 538) => LoginOutcome::Unclear,
            Self::Again(failure, _) | Self::Refused(failure, _) | Self::Broken(failure) => {
                let about_the_secret = !failure.retryable && !is_about_the_mailbox(failure.cause);
                if about_the_secret { LoginOutcome::Refused } else { LoginOutcome::Unclear }
            }
        }
    }
}

/// The server takes no such login whatever the password is, as somebody set there: it does not count against the password, and
/// the owner may have that changed without typing the password again.
const fn is_about_the_mailbox(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::BasicAuthDisabled
            | Cause::SmtpAuthDisabled
            | Cause::IpNotAllowed
            | Cause::OauthPermission
            | Cause::IpBlocked
    )
}

/// A conversation under way.
struct Session<'a> {
    submitter: &'a Submitter,
    submission: &'a Submission,
    limits: Limits,
    on_stage: &'a mut (dyn FnMut(StageEvent) + Send + Sync),
    deadline: Instant,
    stage_began: Instant,
    /// The host in canonical form, once the guard has seen it.
    host: Option<Host>,
    /// Resolved once, checked once.
    addresses: Vec<SocketAddr>,
    /// One command at a time, whatever the server offers.
    cautious: bool,
    transcript: Transcript,
    stages: Vec<StageEvent>,
    capabilities: Capabilities,
    tls: Option<TlsSummary>,
    recipients: Vec<RecipientResult>,
    /// How many recipients are named in this transaction.
    asked: usize,
    round_trips: u32,
    queue_id: Option<String>,
    mechanism: Option<Mechanism>,
    last_words: Option<String>,
    /// Every recipient was refused: the last refusal.
    last_refusal: Option<Failure>,
    /// Asked before the last bytes of the message.
    commit_point: Option<&'a dyn CommitPoint>,
    /// A connection of an earlier message, how many it has carried, and whether it was long without one.
    reused: Option<Connection>,
    messages: u32,
    cool: bool,
    /// What the server had said when the end of the message was about to leave.
    before_the_end: BeforeTheEnd,
    /// What is left open for the next message.
    kept: Option<Connection>,
}

/// Has the whole conversation. `addresses`: checked already; empty when the name is to be resolved.
pub(super) async fn run(
    submitter: &Submitter,
    submission: &Submission,
    addresses: Vec<SocketAddr>,
    limits: Limits,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> Report {
    Session::new(submitter, submission, limits, on_stage).with_addresses(addresses).conclude().await.report
}

/// The same, over an open connection if there is one, leaving it open.
pub(super) async fn deliver(
    submitter: &Submitter,
    submission: &Submission,
    connection: Option<Connection>,
    limits: Limits,
    commit_point: &dyn CommitPoint,
) -> Delivery {
    let mut ignore = |_| {};
    let mut session = Session::new(submitter, submission, limits, &mut ignore);
    session.commit_point = Some(commit_point);
    session.reused = connection;
    session.conclude().await
}

impl<'a> Session<'a> {
    fn new(
        submitter: &'a Submitter,
        submission: &'a Submission,
        limits: Limits,
        on_stage: &'a mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Self {
        let credentials = submission.credentials.as_ref();
        let redactor = Redactor::new(credentials.map(|Credentials { login, secret, .. }| (login.as_str(), secret)));
        let began = Instant::now();
        Self {
            submitter,
            submission,
            limits,
            on_stage,
            deadline: began + limits.whole,
            stage_began: began,
            host: None,
            addresses: Vec::new(),
            cautious: false,
            transcript: Transcript::new(redactor),
            stages: Vec::new(),
            capabilities: Capabilities::default(),
            tls: None,
            recipients: Vec::new(),
            asked: 0,
            round_trips: 0,
            queue_id: None,
            mechanism: None,
            last_words: None,
            last_refusal: None,
            commit_point: None,
            reused: None,
            messages: 0,
            cool: false,
            before_the_end: BeforeTheEnd::Unknown,
            kept: None,
        }
    }

    fn with_addresses(mut self, addresses: Vec<SocketAddr>) -> Self {
        self.addresses = addresses;
        self
    }

    async fn conclude(mut self) -> Delivery {
        let mut outcome = self.converse().await;
        if outcome.as_ref().is_err_and(|failure| failure.out_of_step) {
            outcome = self.once_more(outcome).await;
        }
        let withheld = outcome.as_ref().is_err_and(|failure| failure.withheld);
        let connection = self.kept.take();
        Delivery { report: self.report(outcome), connection, withheld }
    }
}

impl Session<'_> {
    async fn converse(&mut self) -> Result<(), Failure> {
        let host = self.permitted()?;
        if let Some(outcome) = self.on_the_open_connection(&host).await {
            return outcome;
        }
        let mut wire = self.connect(&host).await?;
        let mut outcome = self.talk(&host, &mut wire).await;
        self.round_trips += wire.flights;
        if outcome.is_ok() && self.commit_point.is_none() {
            outcome = self.say_goodbye(&mut wire).await;
        }
        match &outcome {
            Ok(()) => {}
            // It is not told yet: the second try decides.
            Err(failure) if failure.out_of_step && !self.cautious => {}
            Err(failure) => self.tell_failure(failure),
        }
        self.end(host, wire, &outcome).await;
        outcome
    }

    fn tell_failure(&mut self, failure: &Failure) {
        self.tell(failure.stage, Outcome::Failed, failure.reply.clone());
    }

    async fn talk(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        self.greet(wire).await?;
        self.hello(wire).await?;
        if self.submission.security == Security::Starttls {
            self.upgrade(host, wire).await?;
        }
        self.passed(Stage::Ehlo, None);
        if self.submission.depth == Depth::Capabilities {
            return Ok(());
        }
        self.authenticate(wire).await?;
        if self.submission.depth == Depth::Login {
            return Ok(());
        }
        self.hand_over(wire).await
    }

    /// Has the conversation again without groups of commands. When it does not come as far as the first one, the first
    /// failure stands.
    async fn once_more(&mut self, first: Result<(), Failure>) -> Result<(), Failure> {
        self.cautious = true;
        let stages = self.stages.len();
        let kept = (self.capabilities.clone(), self.tls.clone(), std::mem::take(&mut self.recipients));
        self.transcript.client("(once more, one command at a time)");
        match self.converse().await {
            Err(second) if second.stage < Stage::MailFrom => {
                self.stages.truncate(stages);
                (self.capabilities, self.tls, self.recipients) = kept;
                first
            }
            outcome => outcome,
        }
    }

    async fn authenticate(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let submission = self.submission;
        let Some(Credentials { login, secret, gate }) = &submission.credentials else {
            return Ok(());
        };
        let mechanisms = candidates(&self.capabilities, self.submission.mechanism, self.tls.is_some());
        let none = self.capabilities.auth.is_empty();
        let cause = if none { Cause::AuthNotOffered } else { Cause::AuthMechanismUnsupported };
        let mut outcome = Err(Failure::found(Stage::Auth, cause, Finding::NoCommonMechanism));
        for mechanism in mechanisms {
            self.mechanism = Some(mechanism);
            let mut exchange = Exchange::new(mechanism, login, secret)
                .ok_or_else(|| Failure::new(Stage::Auth, Cause::Unknown, true))?;
            outcome = match self.log_in(wire, &mut exchange, gate.as_deref()).await? {
                Ok(()) => return Ok(()),
                // 504: this mechanism is announced and not there (RFC 4954 §4); another one may be.
                Err((reply, 504)) => Err(reply),
                Err((reply, _)) => return Err(reply),
            };
        }
        outcome
    }

    /// One exchange, and once more where the server asks for that: a refusal with its code, or an end of the conversation.
    /// Each is a login of its own to the server, and to whoever counts them.
    async fn log_in(
        &mut self,
        wire: &mut Wire,
        exchange: &mut Exchange<'_>,
        gate: Option<&dyn LoginGate>,
    ) -> Result<Result<(), (Failure, u16)>, Failure> {
        // Refused, and tried once more in another form: when that leads nowhere, this is the answer.
        let mut refusal: Option<(Failure, u16)> = None;
        loop {
            if let Some(gate) = gate
                && !gate.begin().await
            {
                let withheld = Failure::new(Stage::Auth, Cause::BadCredentials, true);
                return refusal.map_or(Err(withheld), |refusal| Ok(Err(refusal)));
            }
            let exchanged = self.exchange(wire, exchange).await;
            if let Some(gate) = gate {
                gate.ended(exchanged.as_ref().map_or(LoginOutcome::Unclear, Exchanged::outcome)).await;
            }
            match (exchanged, &mut refusal) {
                (Ok(Exchanged::Done), _) => return Ok(Ok(())),
                (Ok(Exchanged::Again(failure, code)), refusal) => *refusal = Some((failure, code)),
                (Ok(Exchanged::Refused(failure, code)), _) => return Ok(Err((failure, code))),
                (Ok(Exchanged::Broken(failure)), _) => return Err(failure),
                (Err(failure), refusal) => return refusal.take().map_or(Err(failure), |refusal| Ok(Err(refusal))),
            }
        }
    }

    /// One exchange, from the command to the answer.
    async fn exchange(&mut self, wire: &mut Wire, exchange: &mut Exchange<'_>) -> Result<Exchanged, Failure> {
        let mut line = exchange.command();
        let mut shown = exchange.shown();
        loop {
            self.transcript.client(&shown);
            let reply = self.answer_to(wire, exchange, &line).await?;
            let step = match exchange.step(&reply) {
                Step::Derive(derivation) => {
                    let derived = tokio::task::spawn_blocking(move || derivation.run()).await;
                    exchange.derived(derived.ok().flatten())
                }
                step => step,
            };
            match step {
                Step::Answer(answer) => (line, shown) = (answer, "•••".to_owned()),
                Step::Again => return Ok(Exchanged::Again(self.refused(Stage::Auth, &reply), reply.code)),
                Step::Done => {
                    self.passed(Stage::Auth, Some(&reply));
                    return Ok(Exchanged::Done);
                }
                Step::Refused => {
                    if let Some(reason) = &exchange.hidden_error {
                        self.transcript.server(&format!("({reason})"));
                    }
                    return Ok(Exchanged::Refused(self.refused(Stage::Auth, &reply), reply.code));
                }
                Step::Broken | Step::Derive(_) => {
                    let words = Some(self.transcript.shown(&reply.words()));
                    let failure = Failure::new(Stage::Auth, Cause::ProtocolError, false);
                    return Ok(Exchanged::Broken(Failure { reply: words, ..failure }));
                }
            }
        }
    }

    async fn answer_to(&mut self, wire: &mut Wire, exchange: &Exchange<'_>, line: &str) -> Result<Reply, Failure> {
        self.send(wire, Stage::Auth, line).await?;
        let deadline = self.limit(self.limits.reply);
        let reply = wire.read_reply(deadline).await.map_err(|error| Failure::wire(Stage::Auth, error))?;
        match exchange.shown_challenge(&reply) {
            Some(shown) => self.transcript.server(&shown),
            None => self.hear(&reply),
        }
        if reply.code == 421 { Err(self.refused(Stage::Auth, &reply)) } else { Ok(reply) }
    }

    /// Says goodbye, and hears the answer: it comes after everything else that was on its way, and so shows whether a
    /// reply too many was taken for an answer. A server that leaves without a word has said nothing wrong.
    async fn say_goodbye(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let sent = self.submission.depth == Depth::Message;
        let refuses = wire.has_surplus(Duration::ZERO).await && wire.refuses_unasked();
        self.transcript.client("QUIT");
        let surplus = match wire.write(b"QUIT\r\n", 1, self.limit(FAREWELL)).await {
            // The message has its answer, and what came besides does not contradict it.
            Err(WireError::Unasked) if sent => refuses,
            Err(WireError::Unasked) => {
                !wire.read_reply(self.limit(FAREWELL / 10)).await.is_ok_and(|reply| reply.code == 421)
            }
            Err(_) => false,
            // Nothing was learnt that could be wrong.
            Ok(()) if self.submission.depth == Depth::Capabilities => false,
            Ok(()) => match wire.read_reply(self.limit(FAREWELL)).await {
                Ok(reply) if matches!(reply.code, 221 | 421) => {
                    self.hear(&reply);
                    false
                }
                Ok(reply) => {
                    self.hear(&reply);
                    // Some servers say 250 and mean it.
                    reply.code != 250 || wire.has_surplus(FAREWELL / 10).await
                }
                Err(_) => false,
            },
        };
        if surplus {
            return Err(Failure { after_the_dot: sent, ..self.unasked(Stage::Quit) });
        }
        self.stage_event(Stage::Quit, Outcome::Ok, None);
        Ok(())
    }

    /// Says goodbye; the outcome stands already. The answer, and what a pipeline still has under way, is read by
    /// nobody but a task of its own, so that the server is not cut off. Nothing is said in the middle of a command or a
    /// message, which a farewell would become a part of, nor to a server that answers what it was not asked.
    async fn part(&mut self, mut wire: Wire, well: bool) {
        if !wire.can_part() || wire.write(b"QUIT\r\n", 1, Instant::now() + FAREWELL / 10).await.is_err() {
            return;
        }
        self.transcript.client("QUIT");
        if well {
            self.stage_event(Stage::Quit, Outcome::Ok, None);
        }
        tokio::spawn(async move { wire.drain(Instant::now() + FAREWELL).await });
    }
}
