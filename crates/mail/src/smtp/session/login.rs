//! The login: one exchange for each mechanism that the server offers, and what each reveals about the password.

use std::sync::LazyLock;

use model::{cause::Cause, report::Finding, stage::Stage};
use tokio::sync::Semaphore;

use super::{Failure, Session};
use crate::{
    aside::PROCESSORS,
    net::Host,
    reply::Reply,
    smtp::{
        auth::{Derivation, Derived, Exchange, Server, Step, candidates, fits, status},
        submit::{Credentials, LoginGate, LoginOutcome},
        wire::Wire,
    },
};

/// Key derivations use at most half of the processors: a server may request many rounds.
static DERIVING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new((*PROCESSORS / 2).max(1)));

/// Derives a key on a thread of its own.
async fn derive(derivation: Derivation) -> Option<Derived> {
    // Held until the work is done, even if its conversation was cancelled.
    let turn = DERIVING.acquire().await.ok()?;
    let derived = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        derivation.run()
    });
    derived.await.ok().flatten()
}

/// How one login exchange ended.
enum Exchanged {
    Done,
    /// Refused with this code; another form may work.
    Again(Failure, u16),
    Refused(Failure, u16),
    /// The server broke the rules of the mechanism.
    Broken(Failure),
}

impl Exchanged {
    /// What the result says about the password.
    fn outcome(&self) -> LoginOutcome {
        match self {
            Self::Done => LoginOutcome::Accepted,
            // The command or mechanism is not supported (RFC 5321 §4.2.4), or needs TLS (RFC 4954 §6): the server did
            // not check the password.
            Self::Again(_, 500..=504 | 530 | 538) | Self::Refused(_, 500..=504 | 530 | 538) => LoginOutcome::Unclear,
            Self::Again(failure, _) | Self::Refused(failure, _) | Self::Broken(failure) => {
                let about_the_secret = !failure.fate.is_retryable() && !is_not_about_the_secret(failure.cause);
                if about_the_secret { LoginOutcome::Refused } else { LoginOutcome::Unclear }
            }
        }
    }
}

/// Refused by a setting of the mailbox, by the mechanism or by another server, not because of the password: it does not
/// count against the password, and the owner need not enter the password again.
const fn is_not_about_the_secret(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::BasicAuthDisabled
            | Cause::AuthMechanismUnsupported
            | Cause::StarttlsRequired
            | Cause::WrongServer
            | Cause::SmtpAuthDisabled
            | Cause::IpNotAllowed
            | Cause::OauthPermission
            | Cause::IpBlocked
    )
}

impl Session<'_> {
    pub(super) async fn authenticate(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let submission = self.submission;
        let Some(Credentials { login, secret, gate }) = &submission.credentials else {
            return Ok(());
        };
        let mechanisms = candidates(&self.capabilities, self.submission.mechanism, self.tls.is_some());
        let none = self.capabilities.auth.is_empty();
        let cause = if none { Cause::AuthNotOffered } else { Cause::AuthMechanismUnsupported };
        let mut outcome = Err(Failure::found(Stage::Auth, cause, Finding::NoCommonMechanism));
        let host = self.host.clone();
        let server = Server { host: host.as_ref().map_or(&submission.host, Host::as_str), port: submission.port };
        for mechanism in mechanisms {
            self.mechanism = Some(mechanism);
            if !fits(mechanism, server, login, secret) {
                outcome = Err(Failure::found(Stage::Auth, Cause::BadCredentials, Finding::SecretTooLong));
                continue;
            }
            let mut exchange = Exchange::new(mechanism, server, login, secret)
                .ok_or_else(|| Failure::new(Stage::Auth, Cause::Unknown, true))?;
            outcome = match self.log_in(wire, &mut exchange, gate.as_deref()).await? {
                Ok(()) => return Ok(()),
                // The mechanism is announced but not supported: 504 (RFC 4954 §4), 502 (qq.com), or in words (Proton).
                // Another one may be.
                Err((failure, 500 | 502 | 504)) => Err(failure),
                Err((failure, _)) if failure.cause == Cause::AuthMechanismUnsupported => Err(failure),
                Err((failure, _)) => return Err(failure),
            };
        }
        outcome
    }

    /// Runs one exchange, and repeats it if the server asks for that. The error is a refusal with its code, or the end
    /// of the conversation. Each exchange counts as a login.
    async fn log_in(
        &mut self,
        wire: &mut Wire,
        exchange: &mut Exchange<'_>,
        gate: Option<&dyn LoginGate>,
    ) -> Result<Result<(), (Failure, u16)>, Failure> {
        // The refusal before the repeated exchange, reported if that one fails as well.
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

    /// Runs one exchange, from the command to the result.
    async fn exchange(&mut self, wire: &mut Wire, exchange: &mut Exchange<'_>) -> Result<Exchanged, Failure> {
        let mut line = exchange.command();
        let mut shown = exchange.shown();
        loop {
            self.transcript.client(&shown);
            let reply = self.answer_to(wire, exchange, &line).await?;
            let step = match exchange.step(&reply) {
                Step::Derive(derivation) => exchange.derived(derive(derivation).await),
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
                    self.hear_reason(exchange);
                    return Ok(Exchanged::Refused(self.refused_login(exchange, &reply), reply.code));
                }
                Step::Broken | Step::Derive(_) => {
                    self.hear_reason(exchange);
                    // A challenge is shown as in the transcript.
                    let words = exchange.shown_challenge(&reply).unwrap_or_else(|| reply.words());
                    let words = Some(self.transcript.shown(&words));
                    let failure = Failure::new(Stage::Auth, Cause::ProtocolError, false);
                    return Ok(Exchanged::Broken(Failure { reply: words, ..failure }));
                }
            }
        }
    }

    /// Notes the reason that a challenge contained.
    fn hear_reason(&mut self, exchange: &Exchange<'_>) {
        if let Some(reason) = &exchange.hidden_error {
            self.transcript.server(&format!("({reason})"));
        }
    }

    /// The meaning of a refused login. The status in a token's hidden reason may say more than the reply.
    fn refused_login(&self, exchange: &Exchange<'_>, reply: &Reply) -> Failure {
        let refused = self.refused(Stage::Auth, reply);
        let Some(status) = exchange.hidden_error.as_deref().and_then(status) else { return refused };
        let mut with_status = reply.clone();
        // A sentence of its own.
        with_status.lines.extend([".".to_owned(), format!("{status}.")]);
        let diagnosis = self.diagnosis(Stage::Auth, &with_status);
        if diagnosis.cause == Cause::Unknown {
            return refused;
        }
        Failure { reply: refused.reply, ..Failure::new(Stage::Auth, diagnosis.cause, diagnosis.retryable) }
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
}
