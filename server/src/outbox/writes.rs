//! Server side. The writes of the outbox.
//!
//! Every message is written four times: when it is given, when it is claimed, before its end is sent, and when it is known
//! what became of it. The caller waits until it is on disk, except for the outcome of an accepted message. Outcomes and the
//! marks of other messages share a transaction.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    group_commit::{GroupCommit, Pending, Unwritten},
    store::{
        Store, StoreError,
        outbox::{Claim, Claimed, CommitMark, Inserted, QueuedMessage, Settled, Settlement},
    },
};

/// The writes of the outbox.
pub struct Writes {
    inserts: GroupCommit<QueuedMessage, Inserted>,
    progress: GroupCommit<Progress, Progressed>,
    claims: GroupCommit<Claim, Claimed>,
}

/// What is written while messages leave.
enum Progress {
    /// A mark, and when it was made.
    Mark(CommitMark, Timestamp),
    Settlement(Box<Settlement>),
}

/// What came of it.
enum Progressed {
    Marked(bool),
    Settled(Settled),
}

/// A settlement that is being written.
pub struct Settling(Pending<Progressed>);

impl Settling {
    /// Waits until it is written.
    pub async fn settled(self) -> Result<Settled, Unwritten> {
        match self.0.written().await? {
            Progressed::Settled(settled) => Ok(settled),
            Progressed::Marked(_) => Err(Unwritten::Rejected),
        }
    }
}

async fn write_progress(store: Arc<dyn Store>, items: &[Progress]) -> Result<Vec<Progressed>, StoreError> {
    let (mut settlements, mut marks, mut now) = (Vec::new(), Vec::new(), Timestamp::MIN);
    for item in items {
        match item {
            Progress::Mark(mark, at) => {
                marks.push(mark.clone());
                now = now.max(*at);
            }
            Progress::Settlement(settlement) => settlements.push((**settlement).clone()),
        }
    }
    let (settled, marked) = store.settle_and_mark(&settlements, &marks, now).await?;
    let (mut settled, mut marked) = (settled.into_iter(), marked.into_iter());
    let outcome = |item: &Progress| match item {
        Progress::Mark(..) => marked.next().map(Progressed::Marked),
        Progress::Settlement(_) => settled.next().map(Progressed::Settled),
    };
    Ok(items.iter().filter_map(outcome).collect())
}

impl Writes {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let (inserting, progressing, claiming) = (store.clone(), store.clone(), store.clone());
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
            progress: GroupCommit::start(move |items: Vec<Progress>| {
                let store = progressing.clone();
                async move {
                    let written = write_progress(store, &items).await;
                    (items, written)
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
        match self.progress.write(Progress::Mark(mark, now)).await? {
            Progressed::Marked(held) => Ok(held),
            Progressed::Settled(_) => Err(Unwritten::Rejected),
        }
    }

    pub async fn claim(&self, claim: Claim) -> Result<Claimed, Unwritten> {
        self.claims.write(claim).await
    }

    pub async fn settle(&self, settlement: Settlement) -> Result<Settled, Unwritten> {
        self.begin_to_settle(settlement).await?.settled().await
    }

    /// The same, without waiting until it is written.
    pub async fn begin_to_settle(&self, settlement: Settlement) -> Result<Settling, Unwritten> {
        Ok(Settling(self.progress.begin(Progress::Settlement(Box::new(settlement))).await?))
    }
}
