//! Server side. One entry of the history. No secret is in any of these types, and nothing that was typed into a field.
//!
//! To add an action: a variant of [`Action`], its text `history-…` in both catalogues, [`port::note`](super::port::note)
//! where it happens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    diagnosis::cause::Cause,
    profile::{field::Field, model::Profile},
    sending_mode::model::SendingMode,
    test_run::report::Verdict,
};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    ModeChanged {
        mode: SendingMode,
    },
    ProfileAdded,
    /// The fields that differ; [`Field::Secret`] when a new one was typed.
    ProfileChanged {
        fields: Vec<Field>,
    },
    ProfileDuplicated,
    ProfileInUse,
    ProfileDeleted,
    SecretCleaned,
    Tested {
        verdict: Verdict,
        cause: Option<Cause>,
    },
    /// A proposed change was applied: its key.
    Mended {
        fix: String,
    },
    ReceiptConfirmed,
    /// How a profile sends: limits, checks, what stands in for it.
    SendingChanged,
}

impl Action {
    /// The last part of the catalogue's key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::ModeChanged { mode: SendingMode::OwnSmtp } => "history-mode-own",
            Self::ModeChanged { mode: SendingMode::Portal } => "history-mode-portal",
            Self::ProfileAdded => "history-added",
            Self::ProfileChanged { .. } => "history-changed",
            Self::ProfileDuplicated => "history-duplicated",
            Self::ProfileInUse => "history-in-use",
            Self::ProfileDeleted => "history-deleted",
            Self::SecretCleaned => "history-cleaned",
            Self::Tested { verdict: Verdict::Failed, .. } => "history-test-failed",
            Self::Tested { .. } => "history-tested",
            Self::Mended { .. } => "history-mended",
            Self::ReceiptConfirmed => "history-received",
            Self::SendingChanged => "history-sending",
        }
    }
}

/// An action, by whom, on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: Uuid,
    pub at: Timestamp,
    /// The portal's id of the person, and the name they had then.
    pub person: String,
    pub person_name: String,
    /// The profile as it could be recognised then: sender and server. It may be gone.
    pub profile: Option<String>,
    #[serde(flatten)]
    pub action: Action,
}

/// How a profile is named in the history.
pub fn named(profile: &Profile) -> String {
    format!("{} · {}", profile.settings.sender_address, profile.settings.destination.host)
}

/// The fields in which two states of a profile differ.
pub fn differences(before: &Profile, after: &crate::profile::model::Settings, new_secret: bool) -> Vec<Field> {
    let (old, new) = (&before.settings, after);
    let (from, to) = (&old.destination, &new.destination);
    [
        (Field::Preset, old.preset != new.preset),
        (Field::Host, from.host != to.host),
        (Field::Port, from.port != to.port),
        (Field::Security, from.security != to.security),
        (Field::User, old.user != new.user),
        (Field::Login, from.login != to.login),
        (Field::Secret, new_secret),
        (Field::SenderName, old.sender_name != new.sender_name),
        (Field::SenderAddress, old.sender_address != new.sender_address),
        (Field::ReplyTo, old.reply_to != new.reply_to),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}
