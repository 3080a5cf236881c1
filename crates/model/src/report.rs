//! What a finished conversation leaves behind: stored with the profile, shown as a card, printed by
//! `facteur probe`.

use serde::{Deserialize, Serialize};

use crate::{
    cause::Cause,
    fix::Fix,
    mechanism::Mechanism,
    stage::{Stage, StageEvent},
    survey::Survey,
};

/// What the conversation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The server took the message over (`250` after the final dot). That is not yet "received".
    Accepted,
    /// Everything up to RCPT TO went well, and nothing was sent.
    DryRunOk,
    Failed,
    /// The line went dead after the final dot: the message may or may not be on its way.
    DeliveryUnknown,
}

/// The TLS that was agreed on, and the certificate the server showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSummary {
    /// As rustls names it: `TLSv1.3`.
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

/// What became of one `RCPT TO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientResult {
    pub address: String,
    pub accepted: bool,
    pub cause: Option<Cause>,
    /// Whether it may be accepted later.
    #[serde(default)]
    pub retryable: bool,
    pub reply: Option<String>,
}

/// What we found by ourselves, where no words of the server's say it. Texts: `finding-…` in both catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// An address has more than ASCII before its `@`, and the server has no SMTPUTF8 (RFC 6531).
    Smtputf8NotOffered,
    /// The message is larger than the server's SIZE (RFC 1870): nothing was sent.
    SizeLimit,
    /// None of the login methods that the server offers suits the secret.
    NoCommonMechanism,
    /// Without encryption no password is sent.
    PasswordInClear,
    /// The login or the secret holds a control character, which no server takes.
    ControlCharacters,
    /// The server (or somebody on the way) sent more than its answer before encryption began.
    BytesBeforeTls,
    /// The server sent more replies than it got commands: which one answers which is not known.
    UnaskedReply,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 7] = [
        Self::Smtputf8NotOffered,
        Self::SizeLimit,
        Self::NoCommonMechanism,
        Self::PasswordInClear,
        Self::ControlCharacters,
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
            Self::BytesBeforeTls => "finding-bytes-before-tls",
            Self::UnaskedReply => "finding-unasked-reply",
        }
    }
}

/// The outcome of one conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub verdict: Verdict,
    /// The first stage that failed; the last one reached when none did.
    pub stage: Stage,
    /// Why it failed; `None` when it did not.
    pub cause: Option<Cause>,
    /// Whether the same attempt, unchanged, may succeed later.
    pub retryable: bool,
    /// The server's own words at the failing stage, or at the end.
    pub reply: Option<String>,
    /// What we found by ourselves.
    #[serde(default)]
    pub finding: Option<Finding>,
    /// TCP and TLS included.
    pub round_trips: u32,
    pub queue_id: Option<String>,
    /// How it logged in, or tried to last.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// What was found elsewhere on the same host after a failure.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// Changes of settings that may mend the failure; what could be checked was checked.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// The keywords of the last EHLO, as the server wrote them.
    pub capabilities: Vec<String>,
    pub tls: Option<TlsSummary>,
    pub recipients: Vec<RecipientResult>,
    pub stages: Vec<StageEvent>,
    /// `S: …` and `C: …` lines in which no secret stands in any form.
    pub transcript: Vec<String>,
}
