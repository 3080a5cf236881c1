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
use crate::time::{Elapsed, ElapsedRule, Mark};

mod model;
mod rest;

pub use model::*;
pub use rest::{Passage, Rest};

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
    /// At most `limit` messages of the account with their attempts, the newest first, those older than `before`.
    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<(MessageRow, Vec<Attempt>)>, StoreError>;
    /// Texts and files of a message, sealed; `None` when they are not kept any more.
    async fn content(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` destinations with something due, in the order of their turns, those after `after`. What rests is not
    /// among them. The destination `""` is that of lanes whose server is not known.
    async fn due_destinations(
        &self,
        now: Timestamp,
        after: Option<&DueDestination>,
        limit: u32,
    ) -> Result<Vec<DueDestination>, StoreError>;
    /// At most `limit` lanes of a destination with something due, in the order of their turns.
    async fn due_lanes(&self, destination: &str, now: Timestamp, limit: u32) -> Result<Vec<Queue>, StoreError>;
    /// Puts lanes behind destinations.
    async fn assign(&self, lanes: &[(Queue, String)]) -> Result<(), StoreError>;
    /// Takes due messages of lanes, the oldest first, as its destination's [`Rest`] allows. What is left has its turn after
    /// what is due by now.
    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError>;
    /// The same of one lane, without a destination.
    async fn claim(
        &self,
        queue: (&Lane, bool),
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let (queue, owner) = (Queue { lane: queue.0.clone(), fallback: queue.1 }, owner.to_owned());
        let claim = Claim { queue, destination: None, owner, now, until, limit };
        Ok(self.claim_through(&[claim]).await?.pop().map(|claimed| claimed.messages).unwrap_or_default())
    }
    /// Notes that the end of each message is about to be sent; `false` where the lease does not hold any more.
    async fn mark_ending(&self, endings: &[Ending], now: Timestamp) -> Result<Vec<bool>, StoreError>;
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, StoreError>;
    /// Gives claimed messages back untried.
    async fn release(&self, owner: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError>;
    /// Nothing of a lane is looked at before `until`: one write, however much waits there.
    async fn rest_lane(&self, queue: &Queue, until: Timestamp, cause: Option<Cause>) -> Result<(), StoreError>;
    /// Applies a rule to a destination's rest; what it is then. One write, however many lanes wait there.
    async fn rest_destination(
        &self,
        destination: &str,
        rule: &(dyn Fn(Rest) -> Rest + Send + Sync),
    ) -> Result<Rest, StoreError>;
    /// These destinations rest no more.
    async fn ease(&self, destinations: &[String]) -> Result<(), StoreError>;
    /// After the clock was set back: turns are counted again, and no rest ends after `latest`.
    async fn realign(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError>;
    /// The lanes of the account rest no more, their servers are looked up again, and what is deferred is due now. One write a
    /// lane, however many messages wait there. How many lanes.
    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError>;
    /// Prolongs every lease of these owners, and the rests of the destinations that they probe.
    async fn prolong(&self, owners: &[String], until: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` messages whose lease has ended.
    async fn abandoned(&self, now: Timestamp, limit: u32) -> Result<Vec<MessageRow>, StoreError>;
    /// At most `limit` waiting messages whose time is over.
    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<MessageRow>, StoreError>;
    /// Sends a message again, when `rule` allows it and to whom it says.
    async fn resend(
        &self,
        portal: &str,
        id: Uuid,
        (now, expires_at): (Timestamp, Timestamp),
        rule: ResendRule,
    ) -> Result<Resent, StoreError>;
    /// Forgets messages that were finished before `finished_before`, contents of those finished before `content_before`, and
    /// lanes that are empty; at most `limit` of each, and not for long, since it writes. How many.
    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, limit: u32)
    -> Result<u64, StoreError>;
    /// Notes the present instant. What `rule` makes of it and the last one: when the clock was set, every deadline moves with
    /// it; when nobody was there for long, what would be too old gets [`GRACE`](crate::time::GRACE). `None`: it is the first.
    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Result<Option<Elapsed>, StoreError>;
    async fn queue_figures(&self, now: Timestamp) -> Result<QueueFigures, StoreError>;

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

    /// At most `limit` rows that were set aside since the last call of [`quarantine_told`](Self::quarantine_told). Whatever reads
    /// rows sets aside those that it cannot decode: they are not found again, and hold nobody up.
    async fn newly_quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError>;
    /// Somebody was told of them, with these events.
    async fn quarantine_told(&self, rows: &[Quarantined], events: &[NewEvent]) -> Result<(), StoreError>;

    /// At most `limit` profiles with a secret, in the order of their ids, those after `after`.
    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Result<Vec<(AccountId, ProfileRow)>, StoreError>;
    /// Puts an envelope in the place of another, with what its logins are counted under; `false` when it is not there any
    /// more.
    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Result<bool, StoreError>;
    /// At most `limit` contents, in the order of their ids, those after `after`.
    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<SealedContent>, StoreError>;
    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;
}
