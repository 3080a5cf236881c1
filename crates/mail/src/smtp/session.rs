//! Runs one SMTP conversation and says how far it got.
//!
//! The order of the stages is the order of the protocol; each has its own deadline, and all of them the whole's.

use std::{net::SocketAddr, time::Duration};

use model::{
    report::{RecipientResult, Report, TlsSummary},
    security::Security,
    stage::{Outcome, Stage, StageEvent},
};
use tokio::time::Instant;

use super::{
    Mechanism, Submission, Submitter,
    capabilities::Capabilities,
    submit::{CommitPoint, Credentials, Delivery, Depth, Limits},
    transcript::{Redactor, Transcript},
    wire::{Wire, WireError},
};
use crate::net::Host;
use failure::{Failure, Fate};
use transaction::BeforeTheEnd;

mod failure;
mod login;
mod opening;
mod recipients;
mod report;
mod reuse;
mod steps;
mod transaction;

pub use reuse::Connection;

/// Timeout for QUIT.
const FAREWELL: Duration = Duration::from_secs(1);

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
    /// One command at a time, even if the server offers PIPELINING.
    cautious: bool,
    transcript: Transcript,
    stages: Vec<StageEvent>,
    capabilities: Capabilities,
    tls: Option<TlsSummary>,
    recipients: Vec<RecipientResult>,
    /// How many recipients are named in this transaction.
    named: usize,
    round_trips: u32,
    queue_id: Option<String>,
    mechanism: Option<Mechanism>,
    last_words: Option<String>,
    /// Every recipient was refused: the last refusal.
    last_refusal: Option<Failure>,
    /// Asked before the last bytes of the message.
    commit_point: Option<&'a dyn CommitPoint>,
    /// The connection stays open for the next message when this one went well.
    keeps: bool,
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

/// The same, with `commit_point` asked before the last bytes of the message; the flag says that it refused.
pub(super) async fn run_committed(
    submitter: &Submitter,
    submission: &Submission,
    commit_point: &dyn CommitPoint,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> (Report, bool) {
    let mut session = Session::new(submitter, submission, submitter.limits, on_stage);
    session.commit_point = Some(commit_point);
    let Delivery { report, withheld, .. } = session.conclude().await;
    (report, withheld)
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
    session.keeps = true;
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
            named: 0,
            round_trips: 0,
            queue_id: None,
            mechanism: None,
            last_words: None,
            last_refusal: None,
            commit_point: None,
            keeps: false,
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
        if outcome.as_ref().is_err_and(|failure| failure.fate.is_out_of_step()) {
            outcome = self.once_more(outcome).await;
        }
        let withheld = outcome.as_ref().is_err_and(|failure| failure.fate == Fate::Withheld);
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
        if outcome.is_ok() && !self.keeps {
            outcome = self.say_goodbye(&mut wire).await;
        }
        match &outcome {
            Ok(()) => {}
            // It is not told yet: the second try decides.
            Err(failure) if failure.fate.is_out_of_step() && !self.cautious => {}
            Err(failure) => self.tell_failure(failure),
        }
        self.end(host, wire, &outcome).await;
        outcome
    }

    fn tell_failure(&mut self, failure: &Failure) {
        let outcome = if failure.fate == Fate::MaybeSent { Outcome::Unknown } else { Outcome::Failed };
        self.tell(failure.stage, outcome, failure.reply.clone());
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
            let failure = self.unasked(Stage::Quit);
            return Err(if sent { failure.maybe_sent() } else { failure });
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
