//! Server side. A profile as the pages see it. None of these types contains a secret.

pub use ::model::{
    settings::{Destination, ProfileId, Settings},
    way::Candidate,
};
use jiff::Timestamp;

use super::{
    encoding::Encoding,
    sending::{Health, SendState, SendingOptions},
};
use crate::{diagnosis::cause::Cause, sign_in::signed_in::SignedIn};

/// The state of a profile's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretState {
    /// None is stored: never entered, or wiped because the destination changed.
    Missing,
    Stored {
        changed_at: Timestamp,
    },
    /// One is stored, but it cannot be decrypted.
    Unreadable,
}

/// The state of a profile's last test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestState {
    Never,
    /// The server accepted the message; it may not have arrived.
    Accepted {
        at: Timestamp,
    },
    /// The code of its mail, or of an earlier one with the same settings, was entered.
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
    /// Settings or secret have changed since.
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
    /// The owner signed in instead of entering a password.
    pub signed_in: Option<SignedIn>,
    pub test: TestState,
    pub sending: SendingOptions,
    pub health: Health,
    /// How sending is going with these settings.
    pub sends: SendState,
    /// What decides whether it gets mail to send.
    pub candidate: Candidate,
    /// Increases with each change of settings or secret.
    pub revision: u32,
}

impl Profile {
    /// Whether it can send at all.
    pub fn is_ready(&self) -> bool {
        matches!(self.secret, SecretState::Stored { .. })
    }
}

impl TestState {
    /// When the last test with the current settings ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Never | Self::Changed => None,
            Self::Accepted { at } | Self::Failed { at, .. } | Self::DeliveryUnknown { at } => Some(*at),
            Self::Received { at, tested } => Some(*at.max(tested)),
        }
    }

    /// Whether its mail may have arrived, and the code was not entered yet.
    pub fn waits_for_its_code(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::DeliveryUnknown { .. })
    }
}
