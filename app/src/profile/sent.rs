//! Server side. The last messages sent through a profile, and their number per day.

use async_trait::async_trait;
use jiff::Timestamp;

use super::model::ProfileId;
use crate::{diagnosis::cause::Cause, error::AppError, session::AccountId};

/// The number of days counted.
pub const DAYS: usize = 30;
/// The number of messages listed.
pub const LISTED: usize = 20;

/// The outcome of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The profile's server accepted it.
    Accepted,
    /// The portal's server accepted it, after the profile's failed.
    ByThePortal,
    /// It will be retried.
    Waiting,
    Failed,
    /// The connection was lost at its end, so the outcome is unknown.
    Unknown,
}

/// A message, without its subject and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The last change of its state.
    pub at: Timestamp,
    /// The first recipient: `…@domain`.
    pub recipient: String,
    /// How many other recipients there are.
    pub others: usize,
    pub fate: Fate,
    pub cause: Option<Cause>,
}

/// A day's messages. Days are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first instant.
    pub at: Timestamp,
    /// Accepted by the profile's server.
    pub accepted: u64,
    /// All others that are finished: failed, uncertain, sent by the portal instead.
    pub others: u64,
}

/// What was sent through one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The newest first, at most [`LISTED`].
    pub messages: Vec<SentMessage>,
    /// The last [`DAYS`], the oldest first; days without a message too.
    pub days: Vec<Day>,
}

/// The messages sent through a profile. For another account's profile there are none.
#[async_trait]
pub trait SentMail: Send + Sync {
    async fn sent(&self, account: &AccountId, id: ProfileId) -> Result<Sent, AppError>;
}
