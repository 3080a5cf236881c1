//! Server side. What was sent through a profile: the last messages, and how many a day.

use async_trait::async_trait;
use jiff::Timestamp;

use super::model::ProfileId;
use crate::{diagnosis::cause::Cause, error::AppError, session::AccountId};

/// How many days are counted.
pub const DAYS: usize = 30;
/// How many messages are listed.
pub const LISTED: usize = 20;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The profile's server took it.
    Accepted,
    /// The portal's server took it, because the profile's did not.
    ByThePortal,
    /// It is tried again.
    Waiting,
    Failed,
    /// The connection was lost at its end.
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
    /// Taken by the profile's server.
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

/// What was sent. Another account's profile has sent nothing.
#[async_trait]
pub trait SentMail: Send + Sync {
    async fn sent(&self, account: &AccountId, id: ProfileId) -> Result<Sent, AppError>;
}
