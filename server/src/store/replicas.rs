//! Server side. What several processes on one database share beside the stored data: who is running, the places of
//! limits, rates, notices and the clock. Only an adapter that several processes may use has it; see
//! [`crate::replicas`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// How many places of a limit a replica should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTarget {
    /// The name of the limit.
    pub name: String,
    pub target: u32,
    /// How many there are for all replicas together.
    pub most: u32,
}

/// How often something may happen, over all replicas together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    /// How much may happen at once.
    pub burst: f64,
}

/// What several processes on one database share.
#[async_trait]
pub trait ReplicaStore: Send + Sync {
    /// Renews the replica's lease. Returns whether the replica was known. `afresh`: it has no places.
    async fn renew(&self, replica: i32, lease: Duration, afresh: bool) -> Result<bool, StoreError>;
    /// How many other replicas there are.
    async fn others(&self, replica: i32) -> Result<u64, StoreError>;
    /// The replica has stopped.
    async fn leave(&self, replica: i32) -> Result<(), StoreError>;
    /// Deletes replicas that did not renew in time: those whose process is gone, and others after `patience`.
    async fn forget_dead(&self, patience: Duration) -> Result<u64, StoreError>;
    /// Sets how many places the replica has of each limit; `false` where the others leave too few.
    async fn set_places(&self, replica: i32, targets: &[PlaceTarget]) -> Result<Vec<bool>, StoreError>;
    /// Takes up to `wanted` of what the rate allows now; if that is nothing, returns how long to wait.
    async fn take_rate(&self, name: &str, rate: Rate, wanted: u32) -> Result<Result<u32, Duration>, StoreError>;
    /// Notifies every process that listens.
    async fn notify(&self, notices: &[String]) -> Result<(), StoreError>;
    /// The database's clock.
    async fn time(&self) -> Result<Timestamp, StoreError>;
}
