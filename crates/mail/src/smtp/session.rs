//! Runs one SMTP conversation and reports how far it got.
//!
//! The stages follow the order of the protocol. Each has its own deadline, and all of them share the conversation's.

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
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact about the conversation")]
struct Session<'a> {
    submitter: &'a Submitter,
    submission: &'a Submission,
    limits: Limits,
    on_stage: &'a mut (dyn FnMut(StageEvent) + Send + Sync),
    deadline: Instant,
    stage_began: Instant,
    /// The host in canonical form, after the guard has accepted it.
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
    /// How many recipients this transaction names.
    named: usize,
    /// The recipients that were refused temporarily, without a reason of their own, after the last accepted one.
    without_reason: Vec<usize>,
    /// The most recipients that the server accepted in one transaction on this connection.
    most_taken: usize,
    /// Hashes of the replies to messages on this connection.
    answers: HashSet<u64>,
    round_trips: u32,
    queue_id: Option<String>,
    mechanism: Option<Mechanism>,
    last_words: Option<String>,
    /// The last refusal, if every recipient was refused.
    last_refusal: Option<Failure>,
    /// Asked before the last bytes of the message.
    commit_point: Option<&'a dyn CommitPoint>,
    /// Keep the connection open for the next message if this one succeeds.
    keeps: bool,
    /// The message that follows this one on its connection.
    next: Option<&'a Submission>,
    ahead: Ahead,
    /// A connection from an earlier message, how many messages it has carried, and whether it was idle for long.
    reused: Option<Connection>,
    messages: u32,
    cool: bool,
    /// Which replies had arrived when the end of the message was about to be sent.
    before_the_end: BeforeTheEnd,
    /// Each reply of this transaction shows by its code that it answers its own command.
    in_step: bool,
    /// The same for all replies on this connection.
    codes_tell: bool,
    /// The end of the message was sent.
    left: bool,
    /// The server said 354.
    ready: bool,
    /// The reply to the message may belong to another command.
    unproven: bool,
    said_goodbye: bool,
    /// The connection that is left open for the next message.
    kept: Option<Connection>,
    /// The connection that was not left open, until the server has closed it.
    parting: Option<Parting>,
}

/// Runs the whole conversation. `addresses`: already checked; empty to resolve the name.
pub(super) async fn run(
    submitter: &Submitter,
    submission: &Submission,
    addresses: Vec<SocketAddr>,
    limits: Limits,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> Report {
    Session::new(submitter, submission, limits, on_stage).with_addresses(addresses).conclude_closed().await.report
}

/// The same, but asks `commit_point` before the last bytes of the message are sent. `None`: it refused.
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

/// The same, over an open connection if there is one, which stays open.
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
            // It is unknown which commands these replies answered.
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
            // Not reported yet: the second try decides.
            Err(failure) if failure.fate.is_out_of_step() && !self.cautious => {}
            Err(failure) => self.tell_failure(failure),
        }
        self.end(host, wire, &outcome).await;
        outcome
    }

    /// The outcome, confirmed by the server's reply to QUIT.
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

    /// Repeats the conversation with one command at a time. If it gets less far than the first one, the first failure
    /// is reported.
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
