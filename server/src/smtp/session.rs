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
    dial::dial,
    reply::Reply,
    submit::Credentials,
    transcript::{Redactor, Transcript},
    wire::{Stream, Wire, WireError},
};
use crate::diagnosis::diagnose;

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

    /// What the guard says before anything is opened.
    fn permitted(&mut self) -> Result<Host, Failure> {
        let Submission { host, port, security, credentials, .. } = self.submission;
        let policy = &self.submitter.policy;
        let refused = |refusal: super::Refusal| Failure::new(Stage::Resolve, refusal.cause(), false);
        let host = policy.check_host(host).map_err(refused)?;
        policy.check_port(*port).map_err(refused)?;
        if *security == Security::None && credentials.is_some() && !policy.plaintext_allowed(&host) {
            // It is we who want encryption first.
            return Err(Failure::new(Stage::Resolve, Cause::StarttlsRequired, false));
        }
        let forbidden = |text: &str| text.chars().any(char::is_control);
        if let Some(Credentials { login, secret }) = credentials
            && (forbidden(login) || forbidden(secrecy::ExposeSecret::expose_secret(secret)))
        {
            return Err(Failure::new(Stage::Resolve, Cause::BadCredentials, false));
        }
        Ok(host)
    }

    async fn connect(&mut self, host: &Host) -> Result<Wire, Failure> {
        let addresses = self.addresses(host).await?;
        self.passed(Stage::Resolve, None);
        let connected = dial(&addresses, self.limit(self.submitter.limits.connect)).await;
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

    async fn addresses(&self, host: &Host) -> Result<Vec<std::net::SocketAddr>, Failure> {
        let Submitter { dns, policy, limits, .. } = self.submitter;
        dns.resolve(policy, host, self.submission.port, self.limit(limits.resolve))
            .await
            .map_err(|cause| Failure::new(Stage::Resolve, cause, cause == Cause::DnsFailed))
    }

    async fn shake_hands(&mut self, host: &Host, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Failure> {
        let deadline = self.limit(self.submitter.limits.tls);
        match self.submitter.tls.connect(host, stream, deadline).await {
            Ok((stream, summary)) => {
                self.round_trips += 1;
                self.tls = Some(summary);
                Ok(stream)
            }
            Err(failure) => {
                self.tls = failure.summary;
                // After STARTTLS the port was right, but the server went on in clear.
                let refused = failure.is_plaintext && self.submission.security == Security::Starttls;
                let cause = if refused { Cause::StarttlsNotOffered } else { failure.cause };
                Err(Failure::new(Stage::Tls, cause, matches!(cause, Cause::Timeout | Cause::ConnectionLost)))
            }
        }
    }

    async fn greet(&mut self, wire: &mut Wire) -> Result<(), Failure> {
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

    /// The first reply. Whatever is no reply comes from something that is no mail server; its words are not repeated.
    async fn greeting(&mut self, wire: &mut Wire) -> Result<Reply, Failure> {
        let limits = self.submitter.limits;
        let deadline = self.limit(limits.reply);
        let in_clear = self.submission.security != Security::Tls;
        let doubt = if in_clear { deadline.min(Instant::now() + limits.doubt) } else { deadline };
        let mut heard = wire.read_reply(doubt).await;
        if heard == Err(WireError::Timeout) && in_clear && wire.peek().is_empty() {
            if self.speaks_tls().await {
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
    async fn speaks_tls(&self) -> bool {
        let Submitter { tls, limits, .. } = self.submitter;
        let deadline = self.limit(limits.doubt);
        let Ok(host) = self.submitter.policy.check_host(&self.submission.host) else {
            return false;
        };
        let Ok(addresses) = self.addresses(&host).await else {
            return false;
        };
        let Ok(stream) = dial(&addresses, deadline).await else {
            return false;
        };
        match tls.connect(&host, Box::new(stream), deadline).await {
            Ok(_) => true,
            Err(failure) => failure.summary.is_some(),
        }
    }

    async fn hello(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let name = self.submitter.ehlo_name.as_str();
        let reply = self.ask(wire, Stage::Ehlo, &format!("EHLO {name}")).await?;
        if reply.code == 250 {
            self.capabilities = Capabilities::parse(&reply);
            return Ok(());
        }
        if reply.is_transient() {
            return self.expect(Stage::Ehlo, &reply, 250);
        }
        let reply = self.ask(wire, Stage::Ehlo, &format!("HELO {name}")).await?;
        self.capabilities = Capabilities::default();
        self.expect(Stage::Ehlo, &reply, 250)
    }

    async fn upgrade(&mut self, host: &Host, mut wire: Wire) -> Result<Wire, Failure> {
        self.passed(Stage::Ehlo, None);
        if !self.capabilities.starttls {
            return Err(Failure::new(Stage::Starttls, Cause::StarttlsNotOffered, false));
        }
        let reply = self.ask(&mut wire, Stage::Starttls, "STARTTLS").await?;
        if reply.code != 220 {
            let reply = Some(self.transcript.shown(&reply.words()));
            return Err(Failure { reply, ..Failure::new(Stage::Starttls, Cause::StarttlsNotOffered, false) });
        }
        self.round_trips += wire.flights;
        let stream = wire.into_stream().ok_or_else(|| Failure::new(Stage::Starttls, Cause::ProtocolError, false))?;
        self.passed(Stage::Starttls, Some(&reply));
        let stream = self.shake_hands(host, stream).await?;
        self.passed(Stage::Tls, None);
        let mut wire = Wire::new(stream);
        self.hello(&mut wire).await?;
        Ok(wire)
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
}

/// The small steps.
impl Session<'_> {
    /// The moment by which a part must be done.
    fn limit(&self, part: Duration) -> Instant {
        self.deadline.min(Instant::now() + part)
    }

    async fn send(&mut self, wire: &mut Wire, stage: Stage, line: &str) -> Result<(), Failure> {
        let bytes = zeroize::Zeroizing::new(format!("{line}\r\n").into_bytes());
        let deadline = self.limit(self.submitter.limits.reply);
        wire.write(&bytes, deadline).await.map_err(|error| Failure::wire(stage, error))
    }

    async fn receive(&mut self, wire: &mut Wire, stage: Stage, deadline: Instant) -> Result<Reply, Failure> {
        let reply = wire.read_reply(deadline).await.map_err(|error| Failure::wire(stage, error))?;
        self.hear(&reply);
        if reply.code == 421 && stage != Stage::Greeting {
            return Err(self.refused(stage, &self.host(), &reply));
        }
        Ok(reply)
    }

    async fn ask(&mut self, wire: &mut Wire, stage: Stage, line: &str) -> Result<Reply, Failure> {
        self.transcript.client(line);
        self.send(wire, stage, line).await?;
        self.receive(wire, stage, self.limit(self.submitter.limits.reply)).await
    }

    fn hear(&mut self, reply: &Reply) {
        let last = reply.lines.len().saturating_sub(1);
        for (at, line) in reply.lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            self.transcript.server(&format!("{}{separator}{line}", reply.code));
        }
    }

    fn host(&self) -> Host {
        Host::parse(&self.submission.host).unwrap_or_else(|_| self.submitter.ehlo_name.clone())
    }

    /// Takes exactly `code`.
    fn expect(&mut self, stage: Stage, reply: &Reply, code: u16) -> Result<(), Failure> {
        if reply.code == code {
            return Ok(());
        }
        let mut failure = self.refused(stage, &self.host(), reply);
        if reply.is_positive() {
            failure.cause = Cause::ProtocolError;
            failure.retryable = false;
        }
        Err(failure)
    }

    fn refused(&self, stage: Stage, host: &Host, reply: &Reply) -> Failure {
        let diagnosis = diagnose(stage, host.as_str(), reply);
        let words = Some(self.transcript.shown(&reply.words()));
        Failure { reply: words, ..Failure::new(stage, diagnosis.cause, diagnosis.retryable) }
    }

    fn passed(&mut self, stage: Stage, reply: Option<&Reply>) {
        // After STARTTLS the second EHLO belongs to the first one's line.
        if !self.stages.iter().any(|event| event.stage == stage) {
            self.stage_event(stage, Outcome::Ok, reply);
        }
    }

    fn stage_event(&mut self, stage: Stage, outcome: Outcome, reply: Option<&Reply>) {
        let words = reply.map(|reply| self.transcript.shown(&reply.words()));
        if stage != Stage::Quit && words.is_some() {
            self.last_words.clone_from(&words);
        }
        self.tell(stage, outcome, words);
    }

    fn tell(&mut self, stage: Stage, outcome: Outcome, reply: Option<String>) {
        let now = Instant::now();
        let ms = now.duration_since(self.stage_began).as_secs_f64() * 1_000.0;
        self.stage_began = now;
        let event = StageEvent { stage, outcome, ms: (ms * 10.0).round() / 10.0, reply };
        (self.on_stage)(event.clone());
        self.stages.push(event);
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
