//! Server side. A profile as the pages see it. No secret is in any of these types.

pub use ::model::{
    settings::{Destination, ProfileId, Settings},
    way::Candidate,
};
use jiff::Timestamp;

use super::{
    encoding::Encoding,
    sending::{Health, SendState, SendingOptions},
};
use crate::diagnosis::cause::Cause;

/// The state of a profile's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretState {
    /// None is stored: never entered, or wiped because the destination changed.
    Missing,
    Stored {
        changed_at: Timestamp,
    },
    /// One is stored, but cannot be decrypted.
    Unreadable,
}

/// The state of a profile's last test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestState {
    Never,
    /// The server accepted the message; whether it arrived is not known.
    Accepted {
        at: Timestamp,
    },
    /// The code of its mail was entered, or that of an earlier one with the same settings.
    Received {
        at: Timestamp,
        tested: Timestamp,
    },
    Failed {
        at: Timestamp,
        cause: Option<Cause>,
    },
    DeliveryUnknown {
        at: Timestamp,
    },
    /// Settings or secret changed since.
    Changed,
}

/// One SMTP configuration of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub id: ProfileId,
    pub settings: Settings,
    pub encoding: Encoding,
    /// Whether it sends its owner's mail.
    pub in_use: bool,
    pub secret: SecretState,
    pub test: TestState,
    pub sending: SendingOptions,
    pub health: Health,
    /// How the sending is going with these settings.
    pub sends: SendState,
    /// What decides whether mail is left to it.
    pub candidate: Candidate,
    /// Counts the changes of settings and secret.
    pub revision: u32,
}

impl Profile {
    /// Whether it can send at all.
    pub fn is_ready(&self) -> bool {
        matches!(self.secret, SecretState::Stored { .. })
    }
}

impl TestState {
    /// When the last test ended, with the settings of now.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Never | Self::Changed => None,
            Self::Accepted { at } | Self::Failed { at, .. } | Self::DeliveryUnknown { at } => Some(*at),
            Self::Received { at, tested } => Some(*at.max(tested)),
        }
    }

    /// Whether its mail may have arrived, and nobody has said so.
    pub fn waits_for_its_code(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::DeliveryUnknown { .. })
    }
}
