//! Server side. One entry of the history. None of these types contains a secret or typed input.
//!
//! To add an action: a variant of [`Action`], its text `history-…` in both catalogues. The store gets the entry
//! together with the change and writes both in one transaction.

use ::model::account::{AccountId, User};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    diagnosis::cause::Cause,
    profile::{field::Field, model::Settings},
    sending_mode::model::SendingMode,
    test_run::report::Verdict,
};

/// Who changes something, and in which account.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    pub account: &'a AccountId,
    pub person: &'a User,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    ModeChanged {
        mode: SendingMode,
    },
    ProfileAdded,
    /// The fields that differ; [`Field::Secret`] if a new one was entered.
    ProfileChanged {
        fields: Vec<Field>,
    },
    ProfileDuplicated,
    ProfileInUse,
    ProfileDeleted,
    /// A deleted profile was restored.
    ProfileRestored,
    SecretCleaned,
    /// Signed in at a provider instead of entering a password.
    SignedIn,
    SignedOut,
    Tested {
        verdict: Verdict,
        cause: Option<Cause>,
    },
    /// A proposed change was applied: its key.
    #[serde(rename = "mended")]
    FixApplied {
        fix: String,
    },
    ReceiptConfirmed,
    /// The sending options: limits, hourly check, fallback.
    SendingChanged,
    /// The form was refused because the operator does not allow its destination.
    DestinationBlocked {
        destination: String,
    },
    /// The portal's server ended the sessions of one person, or of everyone.
    SessionsEnded {
        everybody: bool,
    },
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
            Self::ProfileRestored => "history-restored",
            Self::SecretCleaned => "history-cleaned",
            Self::SignedIn => "history-signed-in",
            Self::SignedOut => "history-signed-out",
            Self::Tested { verdict: Verdict::Failed, .. } => "history-test-failed",
            Self::Tested { verdict: Verdict::DeliveryUnknown, .. } => "history-test-unknown",
            Self::Tested { .. } => "history-tested",
            Self::FixApplied { .. } => "history-fix-applied",
            Self::ReceiptConfirmed => "history-received",
            Self::SendingChanged => "history-sending",
            Self::DestinationBlocked { .. } => "history-blocked",
            Self::SessionsEnded { everybody: true } => "history-sessions-all",
            Self::SessionsEnded { everybody: false } => "history-sessions",
        }
    }
}

/// An action, its author and its object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: Uuid,
    pub at: Timestamp,
    /// The portal's id of the person, and their name at that time.
    pub person: String,
    pub person_name: String,
    /// The profile's label at that time: sender and server. The profile may be deleted.
    pub profile: Option<String>,
    #[serde(flatten)]
    pub action: Action,
}

/// How a profile is named in the history.
pub fn named(settings: &Settings) -> String {
    format!("{} · {}", settings.sender_address, settings.destination.host)
}

/// The fields in which two states of a profile differ.
pub fn differences(old: &Settings, new: &Settings, new_secret: bool) -> Vec<Field> {
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
        (Field::Name, old.name != new.name),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}
