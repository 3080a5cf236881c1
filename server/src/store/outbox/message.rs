//! Server side. A message of the outbox at each stage of its life, as it is stored.

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
        /// A conversation about it is running.
        Sending = "sending",
        /// A mail server accepted it for at least one recipient; the other ones have failed.
        Accepted = "accepted",
        /// It will be tried again.
        Deferred = "deferred",
        /// It will not be tried again, and no recipient's server has it.
        Failed = "failed",
        /// The connection was lost after the end of the message, so the server may have it. It is not sent again
        /// automatically.
        DeliveryUnknown = "delivery_unknown",
        /// Its row in the database is damaged: it waits until the operator has repaired it.
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
        /// The portal's relay, instead of a profile that failed, as the owner chose.
        Fallback = "fallback",
    }
}

codes! {
    /// How an attempt ended.
    AttemptOutcome {
        Accepted = "accepted",
        /// Some recipients were accepted.
        PartlyAccepted = "partly_accepted",
        /// Refused temporarily.
        Deferred = "deferred",
        Failed = "failed",
        DeliveryUnknown = "delivery_unknown",
        /// The time to try was over.
        Expired = "expired",
    }
}

impl MessageState {
    /// No worker has it, and it is still to be sent.
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

/// The status of a message as a whole, computed from its recipients (`outbox::status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStatus {
    pub state: MessageState,
    pub stage: Option<Stage>,
    pub cause: Option<Cause>,
    pub reply: Option<String>,
}

impl MessageStatus {
    /// A state without cause, stage or reply.
    pub const fn new(state: MessageState) -> Self {
        Self { state, stage: None, cause: None, reply: None }
    }
}

/// The changes that send a message again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resend {
    pub recipients: Vec<Recipient>,
    pub status: MessageStatus,
}

/// Decides whether, and to which recipients, a message is sent again. The second argument says whether its content is
/// kept.
pub type ResendRule = fn(&StoredMessage, bool) -> Result<Resend, ResendOutcome>;

/// A new message.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    pub id: Uuid,
    pub lane: Lane,
    pub idempotency_key: Option<String>,
    /// Covers the whole request.
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

/// The result of inserting a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The key was used before; `same`: with the same request.
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
    /// Attempts that failed or were deferred.
    pub tries: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    pub next_at: Option<Timestamp>,
    /// The token of its lease.
    pub lease_token: Option<String>,
    /// Since when the server may have it.
    pub ending_at: Option<Timestamp>,
    /// For which recipients; `None`: for all pending ones.
    pub ending_to: Option<Vec<String>>,
    pub finished_at: Option<Timestamp>,
}

/// A message in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageWithAttempts {
    pub message: StoredMessage,
    pub attempts: Vec<Attempt>,
}

/// The finished messages of a profile on one day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledDay {
    /// Its first instant.
    pub day: Timestamp,
    /// Accepted by the profile's server.
    pub accepted: u64,
    /// All others: failed, of unknown delivery, or accepted by the relay instead of the profile.
    pub others: u64,
}

/// When a message is sent again, and until when it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResendTimes {
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// Whether a message is sent again, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendOutcome {
    Done,
    NotFound,
    /// It is still being sent, or every recipient has it.
    NotFinished,
    /// Its content was deleted.
    ContentGone,
}

/// A sealed content, for key rotation: the account it belongs to, its id, the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContent {
    pub account: AccountId,
    pub id: Uuid,
    pub sealed: Vec<u8>,
}
