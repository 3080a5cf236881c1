//! For the fuzzers: processes a server's bytes exactly as the session does, without a connection.

use base64::{Engine, prelude::BASE64_STANDARD};
use model::mechanism::Mechanism;
use secrecy::SecretString;

use super::{
    auth::{Exchange, Server, Step},
    transcript::{Redactor, Transcript},
};
use crate::reply::{Line, Reply};

/// Every mechanism.
pub const MECHANISMS: [Mechanism; 6] = Mechanism::ALL;

/// The replies in the server's data, up to the first invalid line. Lines end as in `wire`.
pub fn replies(bytes: &[u8]) -> Vec<Reply> {
    let (mut replies, mut lines) = (Vec::new(), Vec::new());
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(Line { code, more, text }) = Line::parse(line.strip_suffix(b"\r").unwrap_or(line)) else { break };
        lines.push(text);
        if !more {
            replies.push(Reply::new(code, std::mem::take(&mut lines)));
        }
    }
    replies
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Logged in.
    Done,
    /// The server refused.
    Refused,
    /// The server broke the rules of the mechanism.
    Broken,
    /// The server sends nothing more.
    Silence,
}

/// One `AUTH`, from the client's side.
pub struct Login<'a> {
    mechanism: Mechanism,
    exchange: Exchange<'a>,
    transcript: Transcript,
    /// Lines sent after the command.
    pub answers: Vec<String>,
    /// Everything that people may see.
    pub shown: Vec<String>,
}

impl<'a> Login<'a> {
    /// An exchange; `None` if the operating system provides no randomness.
    pub fn new(mechanism: Mechanism, login: &'a str, secret: &'a SecretString) -> Option<Self> {
        let server = Server { host: "smtp.exemple.fr", port: 587 };
        let exchange = Exchange::new(mechanism, server, login, secret)?;
        let mut transcript = Transcript::new(Redactor::new(Some((login, secret))));
        transcript.client(&exchange.shown());
        Some(Self { mechanism, exchange, transcript, answers: Vec::new(), shown: Vec::new() })
    }

    /// The first line that the client sends.
    pub fn command(&self) -> String {
        self.exchange.command().to_string()
    }

    /// The nonce that a server must repeat. It is random, so an input cannot contain it.
    pub fn nonce(&self) -> Option<String> {
        let command = self.exchange.command();
        let first = BASE64_STANDARD.decode(command.strip_prefix("AUTH SCRAM-SHA-256 ")?).ok()?;
        Some(std::str::from_utf8(&first).ok()?.rsplit_once(",r=")?.1.to_owned())
    }

    /// Processes the replies one after another.
    pub fn hear(&mut self, replies: &[Reply]) -> End {
        let end = replies.iter().find_map(|reply| self.hear_one(reply)).unwrap_or(End::Silence);
        let reason = self.exchange.hidden_error.take().unwrap_or_default();
        self.transcript.server(&format!("({reason})"));
        // Each line begins with its speaker, `C: ` or `S: `.
        self.shown.extend(self.transcript.take().iter().filter_map(|line| line.get(3..)).map(str::to_owned));
        end
    }

    fn hear_one(&mut self, reply: &Reply) -> Option<End> {
        match self.exchange.shown_challenge(reply) {
            Some(shown) => self.transcript.server(&shown),
            None => self.transcript.reply(reply),
        }
        self.shown.push(self.transcript.shown(&reply.words()));
        let step = match self.exchange.step(reply) {
            Step::Derive(derivation) => self.exchange.derived(derivation.run()),
            step => step,
        };
        match step {
            Step::Answer(line) => {
                self.answers.push(line.to_string());
                None
            }
            Step::Again => {
                self.answers.push(self.command());
                None
            }
            Step::Done => Some(End::Done),
            Step::Refused => Some(End::Refused),
            Step::Broken | Step::Derive(_) => Some(End::Broken),
        }
    }

    /// Whether an acceptance counts only with a proof that the server knows the password.
    pub fn needs_proof(&self) -> bool {
        self.mechanism == Mechanism::ScramSha256
    }
}
