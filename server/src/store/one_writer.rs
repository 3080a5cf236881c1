//! Server side. A database with one write transaction at a time: all waiting writes share one.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    StoreError,
    outbox::{Claim, Claimed, CommitMark, Inserted, QueuedMessage, Settled, Settlement},
};

/// The writes of one transaction, made in this order.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    pub messages: Vec<&'a QueuedMessage>,
    pub settlements: Vec<&'a Settlement>,
    pub marks: Vec<&'a CommitMark>,
    /// When the last of the marks was made.
    pub marked_at: Timestamp,
    pub claims: Vec<&'a Claim>,
}

/// The results, each in the order of the batch.
#[derive(Debug, Default)]
pub struct Written {
    pub inserted: Vec<Inserted>,
    pub settled: Vec<Settled>,
    pub marked: Vec<bool>,
    pub claimed: Vec<Claimed>,
}

/// A database with one writer.
#[async_trait]
pub trait OneWriter: Send + Sync {
    /// Writes the batch in one transaction.
    async fn write(&self, batch: &Batch<'_>) -> Result<Written, StoreError>;
}
