//! Server side. A message of the outbox at the stages of its life, as the store has it.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId, test_run::event::Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attempt, Lane};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }
    };
}

codes! {
    /// The state of a message.
    MessageState {
        /// On disk, not tried yet.
        Queued = "queued",
        /// A conversation about it is under way.
        Sending = "sending",
        /// A mail server took it over for one recipient at least; every other one has failed.
        Accepted = "accepted",
        /// It will be tried again.
        Deferred = "deferred",
        /// It will not be tried again, and no recipient's server has it.
        Failed = "failed",
        /// The connection was lost after the end of the message: it may or may not be on its way. It is not sent again by
        /// itself.
        DeliveryUnknown = "delivery_unknown",
        /// Its row in the database is damaged: it waits for the operator, who has to repair it.
        Quarantined = "quarantined",
    }
}

codes! {
    /// How a recipient is addressed.
    RecipientKind { To = "to", Cc = "cc", Bcc = "bcc", }
}

codes! {
    /// The state of a recipient.
    RecipientState {
        Pending = "pending",
        Accepted = "accepted",
        Failed = "failed",
        DeliveryUnknown = "delivery_unknown",
    }
}

codes! {
    /// The route of an attempt.
    Via {
        /// The account's own profile.
        Profile = "profile",
        /// The portal's relay, because the account's mode is `portal`.
        Relay = "relay",
        /// The portal's relay in the place of a profile that failed, as the owner wished.
        Fallback = "fallback",
    }
}

codes! {
    /// How an attempt ended.
    AttemptOutcome {
        Accepted = "accepted",
        /// Some recipients were accepted.
        PartlyAccepted = "partly_accepted",
        /// Refused for now.
        Deferred = "deferred",
        Failed = "failed",
        DeliveryUnknown = "delivery_unknown",
        /// The time to try was over.
        Expired = "expired",
    }
}

impl MessageState {
    /// Nobody is at it, and it is to be sent.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Queued | Self::Deferred)
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::DeliveryUnknown)
    }
}

/// A recipient and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recipient {
    /// Its address.
    pub address: String,
    pub kind: RecipientKind,
    pub state: RecipientState,
    /// Why it was refused: a code of the diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cause: Option<Cause>,
    /// The server's reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The stage of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stage: Option<Stage>,
}

/// What is said of a message as a whole. It comes from its recipients (`outbox::status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStatus {
    pub state: MessageState,
    pub stage: Option<Stage>,
    pub cause: Option<Cause>,
    pub reply: Option<String>,
}

impl MessageStatus {
    /// A state about which there is nothing else to say.
    pub const fn new(state: MessageState) -> Self {
        Self { state, stage: None, cause: None, reply: None }
    }
}

/// A message that is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resend {
    pub recipients: Vec<Recipient>,
    pub status: MessageStatus,
}

/// Decides whether, and to whom, a message is sent again; the second argument says whether its content is kept.
pub type ResendRule = fn(&StoredMessage, bool) -> Result<Resend, ResendOutcome>;

/// A message that was just given.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    pub id: Uuid,
    pub lane: Lane,
    pub idempotency_key: Option<String>,
    /// Of everything that was asked for.
    pub request_hash: [u8; 32],
    /// Without angle brackets.
    pub message_id: String,
    pub reference: Option<String>,
    pub subject: String,
    /// In bytes, of texts and files.
    pub size: u64,
    pub recipients: Vec<Recipient>,
    pub at: Timestamp,
    pub expires_at: Timestamp,
    /// Texts and files, sealed.
    pub sealed: Vec<u8>,
}

/// What became of a message that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The key was used before; `same`: for the same request.
    Known {
        id: Uuid,
        same: bool,
    },
}

/// A message as it is stored, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub id: Uuid,
    pub lane: Lane,
    pub message_id: String,
    pub reference: Option<String>,
    pub subject: String,
    pub size: u64,
    pub recipients: Vec<Recipient>,
    pub state: MessageState,
    pub stage: Option<Stage>,
    pub cause: Option<Cause>,
    pub reply: Option<String>,
    pub profile: Option<ProfileId>,
    pub fallback: bool,
    /// Attempts that ended with a server's or the network's refusal.
    pub tries: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    pub next_at: Option<Timestamp>,
    /// Who is at it.
    pub lease_token: Option<String>,
    /// Since when the server may have it…
    pub ending_at: Option<Timestamp>,
    /// …and for whom; `None`: for everybody who waits.
    pub ending_to: Option<Vec<String>>,
    pub finished_at: Option<Timestamp>,
}

/// A message in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageWithAttempts {
    pub message: StoredMessage,
    pub attempts: Vec<Attempt>,
}

/// The finished messages of a profile and a day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledDay {
    /// Its first instant.
    pub day: Timestamp,
    /// Accepted by the profile's server.
    pub accepted: u64,
    /// All others: failed, of uncertain fate, or accepted by the relay in the profile's place.
    pub others: u64,
}

/// When a message is sent again, and until when it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResendTimes {
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// Why a message cannot be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendOutcome {
    Done,
    NotFound,
    /// It is under way, or everybody has it.
    NotFinished,
    /// Its content is not kept any more.
    ContentGone,
}

/// What is sealed, for rotation: the account it belongs to, its id, the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContent {
    pub account: AccountId,
    pub id: Uuid,
    pub sealed: Vec<u8>,
}
