//! The result of a finished conversation: stored with the profile, shown as a card, printed by `facteur probe`.

use serde::{Deserialize, Serialize};

use crate::{
    cause::Cause,
    fix::Fix,
    mechanism::Mechanism,
    stage::{Stage, StageEvent},
    survey::Survey,
};

/// The outcome of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The server accepted the message (`250` after the final dot). It may not have arrived yet.
    Accepted,
    /// Everything up to RCPT TO succeeded; no message was sent.
    DryRunOk,
    Failed,
    /// The connection was lost after the final dot: the message may or may not have been accepted.
    DeliveryUnknown,
}

/// The negotiated TLS version, and the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSummary {
    /// In rustls's spelling: `TLSv1.3`.
    pub version: String,
    pub cipher: String,
    pub certificate: Option<CertificateSummary>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSummary {
    pub subject: String,
    pub issuer: String,
    /// The DNS names of the subject alternative name extension.
    pub names: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
}

/// The result of one `RCPT TO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientResult {
    pub address: String,
    pub accepted: bool,
    pub cause: Option<Cause>,
    /// Whether the recipient may be accepted later.
    #[serde(default)]
    pub retryable: bool,
    pub reply: Option<String>,
}

/// What we found ourselves, when no reply of the server says it. Texts: `finding-…` in both catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// An address has non-ASCII characters before its `@`, and the server has no SMTPUTF8 (RFC 6531).
    Smtputf8NotOffered,
    /// The message is larger than the server's SIZE (RFC 1870); it was not sent.
    SizeLimit,
    /// None of the server's login methods suits the secret.
    NoCommonMechanism,
    /// A password is not sent without encryption.
    PasswordInClear,
    /// The login or the secret contains a control character, which no server accepts.
    ControlCharacters,
    /// The login or the secret does not fit into a line of `AUTH` (RFC 4954 §4).
    SecretTooLong,
    /// The server, or an attacker on the network, sent more than its reply before encryption began.
    BytesBeforeTls,
    /// The server sent more replies than it got commands: it is unknown which one answers which.
    UnaskedReply,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 8] = [
        Self::Smtputf8NotOffered,
        Self::SizeLimit,
        Self::NoCommonMechanism,
        Self::PasswordInClear,
        Self::ControlCharacters,
        Self::SecretTooLong,
        Self::BytesBeforeTls,
        Self::UnaskedReply,
    ];

    /// The catalogue's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Smtputf8NotOffered => "finding-smtputf8-not-offered",
            Self::SizeLimit => "finding-size-limit",
            Self::NoCommonMechanism => "finding-no-common-mechanism",
            Self::PasswordInClear => "finding-password-in-clear",
            Self::ControlCharacters => "finding-control-characters",
            Self::SecretTooLong => "finding-secret-too-long",
            Self::BytesBeforeTls => "finding-bytes-before-tls",
            Self::UnaskedReply => "finding-unasked-reply",
        }
    }
}

/// The outcome of one conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub verdict: Verdict,
    /// The first stage that failed; if none did, the last one reached.
    pub stage: Stage,
    /// Why it failed; `None` if it succeeded.
    pub cause: Option<Cause>,
    /// Whether the same attempt, unchanged, may succeed later.
    pub retryable: bool,
    /// The server's reply at the failed stage, or the last one.
    pub reply: Option<String>,
    /// What we found ourselves.
    #[serde(default)]
    pub finding: Option<Finding>,
    /// Including TCP and TLS.
    pub round_trips: u32,
    pub queue_id: Option<String>,
    /// The mechanism of the login, or of the last attempt.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// What a survey of the same host found after a failure.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// Changes of settings that may fix the failure, checked as far as possible.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// The keywords of the last EHLO, as the server sent them.
    pub capabilities: Vec<String>,
    pub tls: Option<TlsSummary>,
    pub recipients: Vec<RecipientResult>,
    pub stages: Vec<StageEvent>,
    /// `S: …` and `C: …` lines, without the secret in any form.
    pub transcript: Vec<String>,
}

impl Report {
    /// A failure before any conversation: there is nothing to log in with.
    pub fn without_conversation(cause: Cause) -> Self {
        Self {
            verdict: Verdict::Failed,
            stage: Stage::Auth,
            cause: Some(cause),
            retryable: cause == Cause::OauthUnavailable,
            reply: None,
            finding: None,
            round_trips: 0,
            queue_id: None,
            mechanism: None,
            survey: None,
            fixes: Vec::new(),
            capabilities: Vec::new(),
            tls: None,
            recipients: Vec::new(),
            stages: Vec::new(),
            transcript: Vec::new(),
        }
    }
}
