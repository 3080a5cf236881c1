//! Server side. Runs one SMTP conversation and says how far it got.
//!
//! The order of the stages is the order of the protocol; each has its own deadline, and all of them the whole's.

use std::time::Duration;

use app::{
    diagnosis::cause::Cause,
    profile::security::Security,
    test_run::{
        event::{Outcome, Stage, StageEvent},
        report::{RecipientResult, Report, TlsSummary, Verdict},
    },
};
use tokio::time::Instant;

use super::{
    Host, Submission, Submitter,
    auth::{Exchange, Mechanism, Step},
    capabilities::Capabilities,
    submit::Credentials,
    transcript::{Redactor, Transcript},
    wire::{Wire, WireError},
};

mod opening;
mod steps;
mod transaction;

/// How long the answer to `QUIT` is waited for: it changes nothing.
const FAREWELL: Duration = Duration::from_millis(300);

/// Why the conversation ended early.
struct Failure {
    stage: Stage,
    cause: Cause,
    retryable: bool,
    reply: Option<String>,
    /// The message may be on its way.
    after_the_dot: bool,
}

impl Failure {
    fn new(stage: Stage, cause: Cause, retryable: bool) -> Self {
        Self { stage, cause, retryable, reply: None, after_the_dot: false }
    }

    fn wire(stage: Stage, error: WireError) -> Self {
        Self::new(stage, error.cause(), error.is_transient())
    }
}

/// A conversation under way.
struct Session<'a> {
    submitter: &'a Submitter,
    submission: &'a Submission,
    on_stage: &'a mut (dyn FnMut(StageEvent) + Send + Sync),
    deadline: Instant,
    stage_began: Instant,
    transcript: Transcript,
    stages: Vec<StageEvent>,
    capabilities: Capabilities,
    tls: Option<TlsSummary>,
    recipients: Vec<RecipientResult>,
    round_trips: u32,
    queue_id: Option<String>,
    last_words: Option<String>,
    /// Every recipient was refused: the last refusal.
    last_refusal: Option<Failure>,
}

/// Has the whole conversation.
pub(super) async fn run(
    submitter: &Submitter,
    submission: &Submission,
    on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
) -> Report {
    let credentials = submission.credentials.as_ref();
    let redactor = Redactor::new(credentials.map(|Credentials { login, secret }| (login.as_str(), secret)));
    let began = Instant::now();
    let mut session = Session {
        submitter,
        submission,
        on_stage,
        deadline: began + submitter.limits.whole,
        stage_began: began,
        transcript: Transcript::new(redactor),
        stages: Vec::new(),
        capabilities: Capabilities::default(),
        tls: None,
        recipients: Vec::new(),
        round_trips: 0,
        queue_id: None,
        last_words: None,
        last_refusal: None,
    };
    let outcome = session.converse().await;
    session.report(outcome)
}

impl Session<'_> {
    async fn converse(&mut self) -> Result<(), Failure> {
        let host = self.permitted()?;
        let mut wire = self.connect(&host).await?;
        self.greet(&mut wire).await?;
        self.hello(&mut wire).await?;
        if self.submission.security == Security::Starttls {
            wire = self.upgrade(&host, wire).await?;
        }
        self.passed(Stage::Ehlo, None);
        let outcome = self.transact(&host, &mut wire).await;
        self.round_trips += wire.flights;
        if let Err(failure) = &outcome {
            self.tell(failure.stage, Outcome::Failed, failure.reply.clone());
        }
        self.part(wire, outcome.is_ok()).await;
        outcome
    }

    async fn transact(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        self.authenticate(host, wire).await?;
        self.hand_over(host, wire).await
    }

    async fn authenticate(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        let Some(Credentials { login, secret }) = &self.submission.credentials else {
            return Ok(());
        };
        let mechanism = Mechanism::choose(&self.capabilities, self.submission.mechanism, self.tls.is_some())
            .ok_or_else(|| {
                let none = self.capabilities.auth.is_empty();
                let cause = if none { Cause::AuthNotOffered } else { Cause::AuthMechanismUnsupported };
                Failure::new(Stage::Auth, cause, false)
            })?;
        let mut exchange =
            Exchange::new(mechanism, login, secret).ok_or_else(|| Failure::new(Stage::Auth, Cause::Unknown, true))?;
        let mut line = exchange.command();
        let mut shown = exchange.shown();
        loop {
            self.transcript.client(&shown);
            self.send(wire, Stage::Auth, &line).await?;
            let reply = self.receive(wire, Stage::Auth, self.limit(self.submitter.limits.reply)).await?;
            match exchange.step(&reply) {
                Step::Answer(answer) => (line, shown) = (answer, "•••".to_owned()),
                Step::Done => {
                    self.passed(Stage::Auth, Some(&reply));
                    return Ok(());
                }
                Step::Refused => {
                    if let Some(reason) = &exchange.hidden_error {
                        self.transcript.server(&format!("({reason})"));
                    }
                    return Err(self.refused(Stage::Auth, host, &reply));
                }
                Step::Broken => {
                    let words = Some(self.transcript.shown(&reply.words()));
                    return Err(Failure { reply: words, ..Failure::new(Stage::Auth, Cause::ProtocolError, false) });
                }
            }
        }
    }

    /// Says goodbye; the outcome stands already. After a failure answers of a pipeline may still be under way, so
    /// nothing more is read.
    async fn part(&mut self, mut wire: Wire, read: bool) {
        if wire.write(b"QUIT\r\n", Instant::now() + FAREWELL).await.is_err() {
            return;
        }
        self.transcript.client("QUIT");
        if read && let Ok(reply) = wire.read_reply(Instant::now() + FAREWELL).await {
            self.hear(&reply);
            self.stage_event(Stage::Quit, Outcome::Ok, Some(&reply));
        }
    }

    fn report(mut self, outcome: Result<(), Failure>) -> Report {
        let success = if self.submission.dry_run { Verdict::DryRunOk } else { Verdict::Accepted };
        let (verdict, stage, cause, retryable, reply) = match outcome {
            Ok(()) => {
                let last = self.stages.iter().rfind(|event| event.stage != Stage::Quit);
                (success, last.map_or(Stage::Resolve, |event| event.stage), None, false, self.last_words.take())
            }
            Err(failure) => {
                // A failure of the transaction was told before the farewell.
                if self.stages.last().is_none_or(|event| event.outcome == Outcome::Ok) {
                    self.tell(failure.stage, Outcome::Failed, failure.reply.clone());
                }
                let verdict = if failure.after_the_dot { Verdict::DeliveryUnknown } else { Verdict::Failed };
                let retryable = failure.retryable && !failure.after_the_dot;
                (verdict, failure.stage, Some(failure.cause), retryable, failure.reply)
            }
        };
        Report {
            verdict,
            stage,
            cause,
            retryable,
            reply,
            round_trips: self.round_trips,
            queue_id: self.queue_id,
            capabilities: self.capabilities.lines,
            tls: self.tls,
            recipients: self.recipients,
            stages: self.stages,
            transcript: self.transcript.take(),
        }
    }
}
