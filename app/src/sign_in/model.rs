//! Server side. A sign-in as the pages see it. None of these types contains a token.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{diagnosis::cause::Cause, profile::model::ProfileId};

/// The id of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInId(pub Uuid);

impl SignInId {
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The address of its page.
    pub fn page(self) -> String {
        format!("/profiles/sign-in?id={self}")
    }
}

impl std::fmt::Display for SignInId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

/// A provider at which owners of a portal can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInWay {
    /// The operator's client.
    pub client: String,
    /// The provider's name: `Microsoft`.
    pub provider: String,
    /// The presets that it serves.
    pub presets: Vec<String>,
    /// The domains of addresses that it serves, besides those of the presets.
    pub domains: Vec<String>,
    /// Whether the signed-in person may log in as another mailbox.
    pub shared_mailboxes: bool,
}

/// How far a sign-in is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The provider's window can be opened with this one-time ticket.
    Ready {
        ticket: String,
    },
    /// The window was opened.
    Open,
    Ended(Outcome),
    /// It took longer than ten minutes.
    Expired,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    Connected {
        profile: ProfileId,
        /// The address that signed in.
        identity: String,
        /// The address that the form had, if it is another one.
        expected: Option<String>,
        /// Whether the profile is new.
        new: bool,
    },
    /// The owner declined.
    Declined,
    /// The permission to send is missing: its box was not ticked.
    WithoutPermission,
    /// The provider refused.
    Refused { cause: Cause, code: String },
    /// The provider did not answer, or not as it should.
    Unavailable,
    /// The session ended meanwhile, or the profile is gone.
    Gone,
    /// The account has too many profiles.
    TooMany { most: u32 },
}

impl Outcome {
    /// The middle part of the catalogue's keys.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "connected",
            Self::Declined => "declined",
            Self::WithoutPermission => "without-permission",
            Self::Refused { .. } => "refused",
            Self::Unavailable => "unavailable",
            Self::Gone => "gone",
            Self::TooMany { .. } => "too-many",
        }
    }
}

/// A sign-in under way, for its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    pub id: SignInId,
    pub way: SignInWay,
    /// The form that began it, and its profile, if it has one.
    pub form: String,
    pub profile: Option<ProfileId>,
    pub progress: Progress,
    /// Where an administrator allows the application.
    pub admin_consent_url: Option<String>,
}
