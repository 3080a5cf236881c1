//! Server side. What the outbox keeps, as types.

use app::{
    diagnosis::cause::Cause,
    profile::{
        model::ProfileId,
        sending::{HealthSignal, HealthTransition},
    },
    session::AccountId,
    test_run::{event::Stage, port::TestRun},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Passage, Rest};
use crate::store::ProfileRow;

/// Whose queue a message stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    pub account: AccountId,
    /// `None` is the shop.
    pub user: Option<String>,
}

/// Between the parts of a lane's key: a control character, which none of them may hold.
const BETWEEN: char = '\u{1f}';

impl Lane {
    /// All of it in one text.
    pub fn key(&self) -> String {
        let AccountId { portal, account } = &self.account;
        match &self.user {
            None => format!("{portal}{BETWEEN}{account}"),
            Some(user) => format!("{portal}{BETWEEN}{account}{BETWEEN}{user}"),
        }
    }

    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.split(BETWEEN).map(str::to_owned);
        let account = AccountId { portal: parts.next()?, account: parts.next()? };
        let user = parts.next();
        parts.next().is_none().then_some(Self { account, user })
    }
}

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
    /// Where a message is.
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
    /// What became of one recipient.
    RecipientState {
        Pending = "pending",
        Accepted = "accepted",
        Failed = "failed",
        DeliveryUnknown = "delivery_unknown",
    }
}

codes! {
    /// Which way an attempt went.
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
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::DeliveryUnknown)
    }
}

/// One recipient, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recipient {
    /// Its address.
    pub address: String,
    pub kind: RecipientKind,
    pub state: RecipientState,
    /// Why it was refused: a cause of the diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cause: Option<Cause>,
    /// The server's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Where that was said.
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

/// The end of a message is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMark {
    pub id: Uuid,
    /// Who holds its lease.
    pub lease_token: String,
    /// To whom; `None`: to everybody who waits.
    pub to: Option<Vec<String>>,
}

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

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// `None`: it ended with a crash, or was over before it began.
    pub via: Option<Via>,
    pub profile: Option<ProfileId>,
    pub outcome: AttemptOutcome,
    pub stage: Option<Stage>,
    pub cause: Option<Cause>,
    pub reply: Option<String>,
    pub queue_id: Option<String>,
}

/// What is told to a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub id: Uuid,
    pub portal: String,
    /// JSON, as it is sent.
    pub content: String,
    pub at: Timestamp,
}

/// An event that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub id: Uuid,
    pub portal: String,
    pub content: String,
    pub created_at: Timestamp,
    pub tries: u32,
}

/// What a message, or a login, told of a profile.
#[derive(Debug, Clone)]
pub struct HealthReport {
    pub profile: ProfileId,
    /// The settings it was about: a profile that was changed meanwhile is not judged by it.
    pub fingerprint: [u8; 32],
    pub signal: HealthSignal,
    /// A failure, to be shown to the owner.
    pub failure: Option<Box<TestRun>>,
    /// It was a login for its own sake.
    pub check: bool,
}

/// A lane's messages that go the usual way, or those that fell back to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    pub lane: Lane,
    pub fallback: bool,
}

impl Queue {
    /// All of it in one text.
    pub fn key(&self) -> String {
        format!("{}{BETWEEN}{}", u8::from(self.fallback), self.lane.key())
    }
}

/// A destination with something due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDestination {
    pub destination: String,
    /// When its turn came.
    pub due_at: Timestamp,
}

/// What somebody wants to send now.
#[derive(Debug, Clone)]
pub struct Claim {
    pub queue: Queue,
    /// Through which server: its rest is respected, and the lane stands behind it from now on.
    pub destination: Option<String>,
    /// For whom…
    pub lease_token: String,
    pub now: Timestamp,
    /// …and until when. When it is a probe, nobody else tries the destination before.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// What was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub messages: Vec<StoredMessage>,
    /// What the destination let through.
    pub passage: Passage,
    /// How it was doing.
    pub rest: Rest,
}

/// Who may settle a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Whoever holds its lease.
    Lease(String),
    /// Somebody else's lease that ended before this.
    LeaseEnded(Timestamp),
    /// Nobody is at it.
    Waiting,
}

/// What a portal is told when a profile breaks or recovers.
pub type TransitionEvent = fn(&AccountId, &ProfileRow, HealthTransition, Timestamp) -> NewEvent;

/// What became of an attempt: everything in one transaction.
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Debug, Clone)]
pub struct Settlement {
    pub id: Uuid,
    pub lane: Lane,
    pub precondition: Precondition,
    pub at: Timestamp,
    pub attempt: Option<Attempt>,
    /// Whether the attempt counts among the message's tries.
    pub counts: bool,
    /// What is said of the message. In the state `sending` the lease goes on.
    pub status: MessageStatus,
    pub recipients: Vec<Recipient>,
    /// Its content is needed no more.
    pub content_done: bool,
    pub next_at: Option<Timestamp>,
    pub fallback: bool,
    pub health: Option<HealthReport>,
    pub event: Option<NewEvent>,
    /// Whether the portal is told of the profile's turns.
    pub tell: Option<TransitionEvent>,
}

/// What settling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The right held.
    pub done: bool,
    pub transition: Option<HealthTransition>,
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

/// A row that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub table: String,
    /// Its key there.
    pub row: String,
    pub column: String,
    /// Whose it is, as far as that is known.
    pub account: Option<AccountId>,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueMetrics {
    pub queued: u64,
    pub deferred: u64,
    pub sending: u64,
    pub events: u64,
    /// Servers that are left alone for a while.
    pub resting: u64,
    /// Rows that cannot be decoded.
    pub quarantined: u64,
    pub oldest: Option<Timestamp>,
}

/// What is sealed, for rotation: the account it belongs to, its id, the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContent {
    pub account: AccountId,
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_told_apart_and_read_back() {
        let lane = |account: &str, user: Option<&str>| Lane {
            account: AccountId { portal: "p".to_owned(), account: account.to_owned() },
            user: user.map(str::to_owned),
        };
        let lanes = [lane("a", None), lane("a", Some("")), lane("a", Some("u")), lane("au", None), lane("a\n", None)];
        for (at, lane) in lanes.iter().enumerate() {
            assert_eq!(Lane::parse(&lane.key()).as_ref(), Some(lane));
            assert!(lanes[..at].iter().all(|other| other.key() != lane.key()));
        }
    }
}
