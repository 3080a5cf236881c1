//! Server side. What several processes on one database share beside what is stored: who is there, the places of limits, rates,
//! notices and the clock. Only an adapter that several processes may use has it; see [`crate::replicas`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// How many places of a limit a replica is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTarget {
    /// The name of the limit.
    pub name: String,
    pub target: u32,
    /// How many there are, for all replicas together.
    pub most: u32,
}

/// How often something may happen, over all replicas together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    /// What may happen at once.
    pub burst: f64,
}

/// What several processes on one database share.
#[async_trait]
pub trait ReplicaStore: Send + Sync {
    /// Says that the replica is there, for so long; whether it was known. `afresh`: it has no places.
    async fn renew(&self, replica: i32, lease: Duration, afresh: bool) -> Result<bool, StoreError>;
    /// How many other replicas there are.
    async fn others(&self, replica: i32) -> Result<u64, StoreError>;
    /// The replica is there no more.
    async fn leave(&self, replica: i32) -> Result<(), StoreError>;
    /// Forgets replicas that did not renew in time: those whose process is gone, and others after `patience`.
    async fn forget_dead(&self, patience: Duration) -> Result<u64, StoreError>;
    /// Sets how many places the replica has of each limit; `false` where the others leave too few.
    async fn set_places(&self, replica: i32, targets: &[PlaceTarget]) -> Result<Vec<bool>, StoreError>;
    /// Takes up to `wanted` out of what may happen now; where nothing is left, how long to wait.
    async fn take_rate(&self, name: &str, rate: Rate, wanted: u32) -> Result<Result<u32, Duration>, StoreError>;
    /// Tells every process that listens.
    async fn notify(&self, notices: &[String]) -> Result<(), StoreError>;
    /// The database's clock.
    async fn time(&self) -> Result<Timestamp, StoreError>;
}
