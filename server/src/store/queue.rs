//! Server side. What waits, in lanes behind destinations, and the leases of what is being sent.

use app::{diagnosis::cause::Cause, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    StoreError,
    outbox::{Assignment, Claim, Claimed, DueDestination, Queue, Rest, StoredMessage},
};

/// A lane's key in its table: also that of a row which cannot be decoded.
pub type LaneKey = (String, bool);

/// What waits, in lanes behind destinations, and the leases of what is being sent.
#[async_trait]
pub trait QueueStore: Send + Sync {
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
    async fn assign(&self, assignments: &[Assignment]) -> Result<(), StoreError>;
    /// Takes due messages of lanes, the oldest first, as its destination's [`Rest`] allows. What is left has its turn after
    /// what is due by now.
    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError>;
    /// Gives claimed messages back untried.
    async fn release(&self, lease_token: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError>;
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
    /// After the clock was set back: counts the turns of lanes again, and lets no rest end after `latest`. Takes at most `limit` lanes,
    /// those after the key `after`, and returns the key of the last one; `None` when there are no more. The first call, without
    /// `after`, also does this for the destinations.
    async fn realign(
        &self,
        now: Timestamp,
        latest: Timestamp,
        after: Option<LaneKey>,
        limit: u32,
    ) -> Result<Option<LaneKey>, StoreError>;
    /// The lanes of the account rest no more, their servers are looked up again, and what is deferred is due now. One write a
    /// lane, however many messages wait there. How many lanes.
    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError>;
    /// Prolongs every lease with one of these tokens, and the rests of the destinations that they probe.
    async fn prolong(&self, lease_tokens: &[String], until: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` messages whose lease has ended.
    async fn abandoned(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError>;
    /// At most `limit` waiting messages whose time is over.
    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError>;
}
