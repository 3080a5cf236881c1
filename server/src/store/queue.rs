//! Server side. Waiting messages, in lanes behind destinations, and the leases of those being sent.

use app::{diagnosis::cause::Cause, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    StoreError,
    outbox::{Assignment, Claim, Claimed, DueDestination, Queue, Rest, StoredMessage},
};

/// A lane's key in its table, also for a row that cannot be decoded.
pub type LaneKey = (String, bool);

/// Waiting messages, in lanes behind destinations, and the leases of those being sent.
#[async_trait]
pub trait QueueStore: Send + Sync {
    /// At most `limit` due destinations after `after`, by due time. Those in back-off are not among them. The
    /// destination `""` stands for lanes whose server is not known.
    async fn due_destinations(
        &self,
        now: Timestamp,
        after: Option<&DueDestination>,
        limit: u32,
    ) -> Result<Vec<DueDestination>, StoreError>;
    /// At most `limit` due lanes of a destination, by due time.
    async fn due_lanes(&self, destination: &str, now: Timestamp, limit: u32) -> Result<Vec<Queue>, StoreError>;
    /// Assigns lanes to destinations.
    async fn assign(&self, assignments: &[Assignment]) -> Result<(), StoreError>;
    /// Claims due messages of lanes, the oldest first, as far as the destination's [`Rest`] allows. The remaining
    /// messages of a lane come after those of other lanes that are due by now.
    async fn claim_through(&self, claims: &[Claim]) -> Result<Vec<Claimed>, StoreError>;
    /// Releases claimed messages untried.
    async fn release(&self, lease_token: &str, ids: &[Uuid], next_at: Timestamp) -> Result<(), StoreError>;
    /// Backs off a lane until `until`: one write, however many messages wait there.
    async fn rest_lane(&self, queue: &Queue, until: Timestamp, cause: Option<Cause>) -> Result<(), StoreError>;
    /// Applies a rule to a destination's back-off, and returns the result. One write, however many lanes wait there.
    async fn rest_destination(
        &self,
        destination: &str,
        rule: &(dyn Fn(Rest) -> Rest + Send + Sync),
    ) -> Result<Rest, StoreError>;
    /// Ends the back-off of these destinations.
    async fn ease(&self, destinations: &[String]) -> Result<(), StoreError>;
    /// After the clock was set back: computes the due times of lanes again, and lets no back-off end after `latest`.
    /// Takes at most `limit` lanes, those after the key `after`, and returns the key of the last one; `None` when there
    /// are no more. The first call, without `after`, also does this for the destinations.
    async fn realign(
        &self,
        now: Timestamp,
        latest: Timestamp,
        after: Option<LaneKey>,
        limit: u32,
    ) -> Result<Option<LaneKey>, StoreError>;
    /// Ends the back-off of the account's lanes, has their servers looked up again, and makes deferred messages due.
    /// One write for each lane, however many messages wait there. Returns how many lanes.
    async fn wake(&self, account: &AccountId, now: Timestamp) -> Result<u64, StoreError>;
    /// Extends every lease with one of these tokens, and the back-off of destinations that they probe.
    async fn prolong(&self, lease_tokens: &[String], until: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` messages whose lease has ended.
    async fn abandoned(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError>;
    /// At most `limit` waiting messages that have expired.
    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredMessage>, StoreError>;
}
