//! Server side. The writes of the outbox.
//!
//! Every message is written four times: when it is given, when it is claimed, before its end is sent, and when it is known
//! what became of it. Each time somebody waits until it is on the disk.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    group_commit::{GroupCommit, Unwritten},
    store::{
        Store,
        outbox::{Claim, Claimed, CommitMark, Inserted, QueuedMessage, Settled, Settlement},
    },
};

/// The writes of the outbox.
pub struct Writes {
    inserts: GroupCommit<QueuedMessage, Inserted>,
    commits: GroupCommit<TimedMark, bool>,
    settlements: GroupCommit<Settlement, Settled>,
    claims: GroupCommit<Claim, Claimed>,
}

/// A mark, and when it was made.
struct TimedMark {
    mark: CommitMark,
    at: Timestamp,
}

impl Writes {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let (inserting, committing, settling, claiming) = (store.clone(), store.clone(), store.clone(), store.clone());
        Self {
            inserts: GroupCommit::sized(
                |message| message.sealed.len(),
                move |messages: Vec<QueuedMessage>| {
                    let store = inserting.clone();
                    async move {
                        let written = store.insert_messages(&messages).await;
                        (messages, written)
                    }
                },
            ),
            commits: GroupCommit::start(move |commits: Vec<TimedMark>| {
                let store = committing.clone();
                async move {
                    let now = commits.iter().map(|commit| commit.at).max().unwrap_or_default();
                    let marks: Vec<_> = commits.iter().map(|commit| commit.mark.clone()).collect();
                    let written = store.mark_commit(&marks, now).await;
                    (commits, written)
                }
            }),
            settlements: GroupCommit::start(move |settlements: Vec<Settlement>| {
                let store = settling.clone();
                async move {
                    let written = store.settle(&settlements).await;
                    (settlements, written)
                }
            }),
            claims: GroupCommit::start(move |claims: Vec<Claim>| {
                let store = claiming.clone();
                async move {
                    let written = store.claim_through(&claims).await;
                    (claims, written)
                }
            }),
        }
    }

    pub async fn insert(&self, message: QueuedMessage) -> Result<Inserted, Unwritten> {
        self.inserts.write(message).await
    }

    /// Notes that the end of a message is about to be sent; `false` when it is not ours any more.
    pub async fn mark_commit(&self, mark: CommitMark, now: Timestamp) -> Result<bool, Unwritten> {
        self.commits.write(TimedMark { mark, at: now }).await
    }

    pub async fn claim(&self, claim: Claim) -> Result<Claimed, Unwritten> {
        self.claims.write(claim).await
    }

    pub async fn settle(&self, settlement: Settlement) -> Result<Settled, Unwritten> {
        self.settlements.write(settlement).await
    }
}
