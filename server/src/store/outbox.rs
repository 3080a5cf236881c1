//! Server side. What the outbox keeps: messages, what was tried with each, what portals are told.
//!
//! A message stands in a **lane**: the queue of its account and user. Whoever wants to send it claims it with a lease, and
//! everything that follows is only written while the lease holds. What is written together is one transaction: the state
//! of a message, its attempt, what it tells of the profile, and the event that says so.

use app::{
    diagnosis::cause::Cause,
    profile::{model::ProfileId, sending::Turn},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{ProfileRow, SealedSecret, StoreError};

mod model;

pub use model::*;

/// The outbox' half of the store.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Stores messages; when it returns they are on disk.
    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Vec<Inserted>, StoreError>;
    /// The message that was given with this key, and whether for the same request.
    async fn message_by_key(
        &self,
        portal: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Inserted>, StoreError>;
    async fn message(&self, portal: &str, id: Uuid) -> Result<Option<MessageRow>, StoreError>;
    async fn attempts(&self, id: Uuid) -> Result<Vec<Attempt>, StoreError>;
    /// At most `limit` messages of the account, the newest first, those older than `before`.
    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError>;
    /// Texts and files of a message, sealed; `None` when they are not kept any more.
    async fn content(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` lanes with a message that is due, in the order of their keys, those after `after`.
    async fn due_lanes(&self, now: Timestamp, after: &str, limit: u32) -> Result<Vec<Lane>, StoreError>;
    /// Whether a message of the lane waits that fell back to the relay.
    async fn any_fallen_back(&self, lane: &Lane) -> Result<bool, StoreError>;
    /// Takes at most `limit` due messages of a lane, the oldest first, for `owner` until `until`: those that fell back to the
    /// relay, or those that did not.
    async fn claim(
        &self,
        queue: (&Lane, bool),
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError>;
    /// Notes that the end of each message is about to be sent; `false` where the lease does not hold any more.
    async fn mark_ending(&self, messages: &[(Uuid, String)], now: Timestamp) -> Result<Vec<bool>, StoreError>;
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError>;
    /// Gives claimed messages back untried.
    async fn release(&self, owner: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError>;
    /// Moves what is due in a lane to `until`, with the reason.
    async fn hold(
        &self,
        queue: (&Lane, bool),
        now: Timestamp,
        until: Timestamp,
        cause: Option<Cause>,
    ) -> Result<u64, StoreError>;
    /// What is deferred in the account is due now.
    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError>;
    /// Prolongs every lease of these owners.
    async fn prolong(&self, owners: &[String], until: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` messages whose lease has ended.
    async fn abandoned(&self, now: Timestamp, limit: u32) -> Result<Vec<MessageRow>, StoreError>;
    /// At most `limit` waiting messages whose time is over.
    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<MessageRow>, StoreError>;
    /// Sends a finished message again to those who did not get it.
    async fn resend(&self, portal: &str, id: Uuid, now: Timestamp, expires_at: Timestamp)
    -> Result<Resent, StoreError>;
    /// Forgets messages that were finished before `finished_before`, and contents of those finished before
    /// `content_before`; at most `limit` of each. How many.
    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, limit: u32)
    -> Result<u64, StoreError>;
    async fn queue_figures(&self) -> Result<QueueFigures, StoreError>;

    /// The profile through which this account's, and user's, mail leaves.
    async fn profile_in_use(&self, account: &AccountId, user: Option<&str>) -> Result<Option<ProfileRow>, StoreError>;
    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError>;
    /// How many messages were accepted through a profile since then.
    async fn sent_since(&self, profile: ProfileId, since: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` profiles with the hourly check whose last one was before `before`.
    async fn profiles_to_check(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, ProfileRow)>, StoreError>;
    /// Takes in what a login told; with `tell`, a turn becomes an event.
    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        tell: bool,
    ) -> Result<Option<Turn>, StoreError>;

    async fn due_events(&self, portal: &str, now: Timestamp, limit: u32) -> Result<Vec<EventRow>, StoreError>;
    async fn event_done(&self, id: Uuid) -> Result<(), StoreError>;
    async fn event_failed(&self, id: Uuid, next_at: Timestamp) -> Result<(), StoreError>;

    /// At most `limit` profiles with a secret, in the order of their ids, those after `after`.
    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Result<Vec<(AccountId, ProfileRow)>, StoreError>;
    /// Puts an envelope in the place of another, with what its logins are counted under; `false` when it is not there any
    /// more.
    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError>;
    /// At most `limit` contents, in the order of their ids, those after `after`.
    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<SealedContent>, StoreError>;
    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;
}
