//! The small steps of a conversation: one line, one reply, one reported stage.

use std::time::Duration;

use model::{
    cause::Cause,
    report::Finding,
    stage::{Outcome, Stage, StageEvent},
};
use tokio::time::Instant;

use super::{Failure, Fate, Session, transaction::Load};
use crate::{
    diagnosis::{Diagnosis, diagnose},
    net::Host,
    reply::Reply,
    smtp::wire::{Wire, WireError},
};

/// How long to wait for a last reply on a connection that cannot be written to any more.
const LAST_WORDS: Duration = Duration::from_millis(300);

impl Session<'_> {
    /// The deadline of a part.
    pub(super) fn limit(&self, part: Duration) -> Instant {
        self.deadline.min(Instant::now() + part)
    }

    pub(super) async fn send(&mut self, wire: &mut Wire, stage: Stage, line: &str) -> Result<(), Failure> {
        let bytes = zeroize::Zeroizing::new(format!("{line}\r\n").into_bytes());
        let deadline = self.limit(self.limits.reply);
        match wire.write(&bytes, 1, deadline).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.unwritten(wire, stage, error, Load::Commands).await),
        }
    }

    /// Why a write failed. A server that closes the connection often says why, and its last reply is more useful than
    /// "connection lost". An unsolicited reply is not trusted, unless it announces the end: 421 may come at any time
    /// (RFC 5321 §3.8), and some servers send another 4yz. The server may also refuse a message before it is sent.
    pub(super) async fn unwritten(&mut self, wire: &mut Wire, stage: Stage, error: WireError, load: Load) -> Failure {
        let unasked = error == WireError::Unasked;
        let may_have_words = if unasked { !wire.is_owed() } else { error == WireError::Lost };
        if may_have_words && let Ok(reply) = wire.read_reply(self.limit(LAST_WORDS)).await {
            self.hear(&reply);
            let hangs_up = reply.is_transient() && wire.look().await == Err(WireError::Lost);
            let counts = reply.code == 421 || hangs_up || !unasked || load == Load::AwaitedMessage;
            if counts && !reply.is_positive() {
                return self.refused(stage, &reply);
            }
        }
        if unasked { self.unasked(stage) } else { Failure::wire(stage, error) }
    }

    /// More replies came than commands were sent: it is unknown which answers which.
    pub(super) fn unasked(&mut self, stage: Stage) -> Failure {
        self.transcript.client("(unsolicited reply: the server is not trusted any more)");
        Failure::found(stage, Cause::ProtocolError, Finding::UnaskedReply)
    }

    pub(super) async fn receive(&mut self, wire: &mut Wire, stage: Stage, deadline: Instant) -> Result<Reply, Failure> {
        let reply = wire.read_reply(deadline).await.map_err(|error| Failure::wire(stage, error))?;
        self.hear(&reply);
        if reply.code == 421 && stage != Stage::Greeting {
            return Err(self.refused(stage, &reply));
        }
        Ok(reply)
    }

    pub(super) async fn ask(&mut self, wire: &mut Wire, stage: Stage, line: &str) -> Result<Reply, Failure> {
        self.transcript.client(line);
        self.send(wire, stage, line).await?;
        self.receive(wire, stage, self.limit(self.limits.reply)).await
    }

    pub(super) fn hear(&mut self, reply: &Reply) {
        self.transcript.reply(reply);
    }

    /// The meaning of a refusal by this host.
    pub(super) fn diagnosis(&self, stage: Stage, reply: &Reply) -> Diagnosis {
        diagnose(stage, self.host.as_ref().map_or("", Host::as_str), reply)
    }

    /// Accepts only `code`.
    pub(super) fn expect(&mut self, stage: Stage, reply: &Reply, code: u16) -> Result<(), Failure> {
        if reply.code == code {
            return Ok(());
        }
        let mut failure = self.refused(stage, reply);
        if reply.is_positive() {
            failure.cause = Cause::ProtocolError;
            failure.fate = Fate::NotSent { retryable: false };
        }
        Err(failure)
    }

    pub(super) fn refused(&self, stage: Stage, reply: &Reply) -> Failure {
        let diagnosis = self.diagnosis(stage, reply);
        let words = Some(self.transcript.shown(&reply.words()));
        Failure { reply: words, ..Failure::new(stage, diagnosis.cause, diagnosis.retryable) }
    }

    pub(super) fn passed(&mut self, stage: Stage, reply: Option<&Reply>) {
        // After STARTTLS, the second EHLO belongs to the stage of the first.
        if !self.stages.iter().any(|event| event.stage == stage) {
            self.stage_event(stage, Outcome::Ok, reply);
        }
    }

    pub(super) fn stage_event(&mut self, stage: Stage, outcome: Outcome, reply: Option<&Reply>) {
        let words = reply.map(|reply| self.transcript.shown(&reply.words()));
        if stage != Stage::Quit && words.is_some() {
            self.last_words.clone_from(&words);
        }
        self.tell(stage, outcome, words);
    }

    pub(super) fn tell(&mut self, stage: Stage, outcome: Outcome, reply: Option<String>) {
        let now = Instant::now();
        let ms = now.duration_since(self.stage_began).as_secs_f64() * 1_000.0;
        self.stage_began = now;
        let event = StageEvent { stage, outcome, ms: (ms * 10.0).round() / 10.0, reply };
        (self.on_stage)(event.clone());
        self.stages.push(event);
    }
}
