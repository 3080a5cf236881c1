//! The stages of a conversation, in the order of the protocol.
//!
//! To add one: a variant here (and in [`Stage::ALL`]), a step in `mail`'s `smtp/session.rs`, its texts `stage-…` in
//! both catalogues, and a persona in the demo's sandbox that fails at it.

use serde::{Deserialize, Serialize};

/// One stage of an SMTP submission, in the order of RFC 5321.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The host's name is resolved.
    Resolve,
    /// TCP.
    Connect,
    /// The TLS handshake: right after `Connect` on port 465, after `Starttls` on 587.
    Tls,
    /// The server's `220`.
    Greeting,
    /// `EHLO`, or `HELO` with an old server.
    Ehlo,
    /// `STARTTLS` (RFC 3207).
    Starttls,
    /// `AUTH` (RFC 4954).
    Auth,
    /// `MAIL FROM`.
    MailFrom,
    /// `RCPT TO`, one per recipient.
    RcptTo,
    /// `DATA` (or `BDAT`), the message, and the server's reply to it.
    Data,
    /// `QUIT`. Its outcome never changes the verdict.
    Quit,
}

impl Stage {
    /// Every stage, in the order in which the enum lists them.
    pub const ALL: [Self; 11] = [
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::Greeting,
        Self::Ehlo,
        Self::Starttls,
        Self::Auth,
        Self::MailFrom,
        Self::RcptTo,
        Self::Data,
        Self::Quit,
    ];

    /// The name in the API and in the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::MailFrom => "mail_from",
            Self::RcptTo => "rcpt_to",
            Self::Data => "data",
            Self::Quit => "quit",
        }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    /// The message may have been accepted: the reply is missing.
    Unknown,
}

/// One stage that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageEvent {
    pub stage: Stage,
    pub outcome: Outcome,
    /// How long the stage took, in milliseconds.
    pub ms: f64,
    /// The server's reply as text: at most 500 characters, no control or bidirectional characters.
    pub reply: Option<String>,
}
