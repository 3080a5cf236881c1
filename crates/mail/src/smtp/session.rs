//! Runs one SMTP conversation and says how far it got.
//!
//! The order of the stages is the order of the protocol; each has its own deadline, and all of them the whole's.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use model::{
    report::{Finding, RecipientResult, Report, TlsSummary},
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
use ahead::{Ahead, Begun};
use failure::Failure;
pub use failure::Fate;
use transaction::BeforeTheEnd;

mod ahead;
mod failure;
mod farewell;
mod fence;
mod login;
mod opening;
mod recipients;
mod report;
mod reuse;
mod steps;
mod transaction;

pub use farewell::Parting;
pub use reuse::Connection;

/// Timeout for QUIT.
const FAREWELL: Duration = Duration::from_secs(1);

/// A conversation under way.
#[expect(clippy::struct_excessive_bools, reason = "each says something else of the conversation")]
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
    /// Those of them who were refused for now without a reason of their own, after the last one that was taken.
    without_reason: Vec<usize>,
    /// The most recipients that were taken in a transaction on this connection.
    most_taken: usize,
    /// What this connection has answered to messages, hashed.
    answers: HashSet<u64>,
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
    /// The message after this one on its connection.
    next: Option<&'a Submission>,
    ahead: Ahead,
    /// A connection of an earlier message, how many it has carried, and whether it was long without one.
    reused: Option<Connection>,
    messages: u32,
    cool: bool,
    /// What the server had said when the end of the message was about to leave.
    before_the_end: BeforeTheEnd,
    /// Each answer of this transaction shows by its code that it answers its own command.
    in_step: bool,
    /// So did all answers on this connection.
    codes_tell: bool,
    /// The end of the message has left.
    left: bool,
    /// The server said 354.
    ready: bool,
    /// The answer to the message may be one to another command.
    unproven: bool,
    said_goodbye: bool,
    /// What is left open for the next message.
    kept: Option<Connection>,
    /// What was not left open, until the server has closed it.
    parting: Option<Parting>,
}

/// Has the whole conversation. `addresses`: checked already; empty when the name is to be resolved.
pub(super) async fn run(
    submitter: &Submitter,
    submission: &Submission,
    addresses: Vec<SocketAddr>,
    limits: Limits,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> Report {
    Session::new(submitter, submission, limits, on_stage).with_addresses(addresses).conclude_closed().await.report
}

/// The same, with `commit_point` asked before the last bytes of the message; `None`: it refused.
pub(super) async fn run_committed(
    submitter: &Submitter,
    submission: &Submission,
    commit_point: &dyn CommitPoint,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> Option<Report> {
    let mut session = Session::new(submitter, submission, submitter.limits, on_stage);
    session.commit_point = Some(commit_point);
    let Delivery { report, fate, .. } = session.conclude_closed().await;
    (fate != Some(Fate::Withheld)).then_some(report)
}

/// The same, over an open connection if there is one, leaving it open.
pub(super) async fn deliver(
    submitter: &Submitter,
    submission: &Submission,
    next: Option<&Submission>,
    connection: Option<Connection>,
    limits: Limits,
    commit_point: &dyn CommitPoint,
) -> Delivery {
    let mut ignore = |_| {};
    let mut session = Session::new(submitter, submission, limits, &mut ignore);
    session.commit_point = Some(commit_point);
    session.keeps = true;
    session.next = next;
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
            without_reason: Vec::new(),
            most_taken: 0,
            answers: HashSet::new(),
            round_trips: 0,
            queue_id: None,
            mechanism: None,
            last_words: None,
            last_refusal: None,
            commit_point: None,
            keeps: false,
            next: None,
            ahead: Ahead::default(),
            reused: None,
            messages: 0,
            cool: false,
            before_the_end: BeforeTheEnd::Unknown,
            in_step: true,
            codes_tell: true,
            left: false,
            ready: false,
            unproven: false,
            said_goodbye: false,
            kept: None,
            parting: None,
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
        if let Some(stage) = self.ahead.refused_at {
            self.ahead.stumbled |= outcome.as_ref().err().is_none_or(|failure| failure.stage > stage);
        }
        if let Err(failure) = &mut outcome
            && failure.is_shifted()
        {
            // Whose answers these were is not known.
            failure.finding = Some(Finding::UnaskedReply);
            self.recipients.clear();
        }
        let fate = outcome.as_ref().err().map(|failure| failure.fate);
        let (connection, parting, stumbled) = (self.kept.take(), self.parting.take(), self.ahead.stumbled);
        Delivery { report: self.report(outcome), connection, parting, fate, stumbled }
    }
}

impl Session<'_> {
    async fn converse(&mut self) -> Result<(), Failure> {
        let host = self.permitted()?;
        if let Some(outcome) = self.on_the_open_connection(&host).await {
            return outcome;
        }
        self.closed().await;
        let mut wire = self.connect(&host).await?;
        let mut outcome = self.talk(&host, &mut wire).await;
        self.round_trips += wire.flights;
        outcome = self.checked(&mut wire, outcome).await;
        match &outcome {
            Ok(()) => {}
            // It is not told yet: the second try decides.
            Err(failure) if failure.fate.is_out_of_step() && !self.cautious => {}
            Err(failure) => self.tell_failure(failure),
        }
        self.end(host, wire, &outcome).await;
        outcome
    }

    /// The outcome, when the server's answer to QUIT shows that it is the right one.
    async fn checked(&mut self, wire: &mut Wire, outcome: Result<(), Failure>) -> Result<(), Failure> {
        match outcome {
            Ok(()) if self.unproven => self.prove(wire).await,
            Ok(()) if self.keeps => Ok(()),
            Ok(()) => self.say_goodbye(wire).await,
            Err(failure) => Err(self.hear_out(wire, failure).await),
        }
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
        (self.cautious, self.codes_tell, self.said_goodbye) = (true, true, false);
        self.forget_connection();
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
}
