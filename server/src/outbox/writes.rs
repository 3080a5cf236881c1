//! Server side. The writes of the outbox.
//!
//! Every message is written four times: when it is enqueued, when it is claimed, before its end is sent, and when its
//! outcome is known. The caller waits until the write is on disk, except for the outcome of an accepted message.
//!
//! Writes that wait for each other share a transaction. In a database with one writer every write waits for it, so all
//! of them share one; in other databases messages, claims and progress are written in parallel.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    group_commit::{GroupCommit, Pending, Sharing, Unwritten},
    store::{
        Store, StoreError,
        one_writer::{Batch, Written},
        outbox::{Claim, Claimed, CommitMark, Inserted, MessageState, QueuedMessage, Settled, Settlement},
    },
};

/// A larger message, in bytes, has a transaction of its own: other writes neither wait for it, nor fail with it on a
/// nearly full disk.
const LARGE: usize = 256 * 1024;

/// The writes of the outbox.
pub struct Writes {
    one_writer: bool,
    messages: Group,
    /// Messages of more than [`LARGE`] bytes.
    large: Group,
    progress: Group,
    claims: Group,
}

type Group = GroupCommit<Write, Outcome>;

enum Write {
    Message(Box<QueuedMessage>),
    /// A commit mark, and when it was made.
    Mark(CommitMark, Timestamp),
    Settlement(Box<Settlement>),
    Claim(Box<Claim>),
}

/// The result of a write.
enum Outcome {
    Stored(Stored),
    Marked(bool),
    Settled(Settled),
    Claimed(Box<Claimed>),
}

/// A message that was written.
pub struct Stored {
    pub inserted: Inserted,
    /// A worker claimed it in the same transaction.
    pub claimed: bool,
}

/// A message that is being written.
pub struct Inserting {
    pending: Pending<Outcome>,
    /// Claims made from now on find the message: they are written after it, or together with it.
    pub claims_follow: bool,
}

impl Inserting {
    /// Waits until it is written.
    pub async fn stored(self) -> Result<Stored, Unwritten> {
        match self.pending.written().await? {
            Outcome::Stored(stored) => Ok(stored),
            _ => Err(Unwritten::Rejected),
        }
    }
}

/// A settlement that is being written.
pub struct Settling(Pending<Outcome>);

impl Settling {
    /// Waits until it is written.
    pub async fn settled(self) -> Result<Settled, Unwritten> {
        match self.0.written().await? {
            Outcome::Settled(settled) => Ok(settled),
            _ => Err(Unwritten::Rejected),
        }
    }
}

fn batch(items: &[Write]) -> Batch<'_> {
    let mut batch = Batch::default();
    for item in items {
        match item {
            Write::Message(message) => batch.messages.push(message),
            Write::Mark(mark, at) => {
                batch.marks.push(mark);
                batch.marked_at = batch.marked_at.max(*at);
            }
            Write::Settlement(settlement) => batch.settlements.push(settlement),
            Write::Claim(claim) => batch.claims.push(claim),
        }
    }
    batch
}

/// In a database with one writer, everything is one transaction. In other databases a batch has writes of one kind.
async fn write(store: &dyn Store, batch: &Batch<'_>) -> Result<Written, StoreError> {
    if let Some(writer) = store.one_writer() {
        return writer.write(batch).await;
    }
    let Batch { messages, settlements, marks, marked_at, claims } = batch;
    let mut written = Written::default();
    if !messages.is_empty() {
        written.inserted = store.insert(messages).await?;
    }
    if !settlements.is_empty() || !marks.is_empty() {
        (written.settled, written.marked) = store.settle_and_mark(settlements, marks, *marked_at).await?;
    }
    if !claims.is_empty() {
        let claims: Vec<Claim> = claims.iter().copied().cloned().collect();
        written.claimed = store.claim_through(&claims).await?;
    }
    Ok(written)
}

/// The result of each write, in the order of the items.
fn outcomes(items: &[Write], written: Written) -> Vec<Outcome> {
    let Written { inserted, settled, marked, claimed } = written;
    let taken: HashSet<Uuid> = claimed.iter().flat_map(|claimed| &claimed.messages).map(|message| message.id).collect();
    let (mut inserted, mut settled) = (inserted.into_iter(), settled.into_iter());
    let (mut marked, mut claimed) = (marked.into_iter(), claimed.into_iter());
    let outcome = |item: &Write| match item {
        Write::Message(message) => {
            inserted.next().map(|inserted| Outcome::Stored(Stored { inserted, claimed: taken.contains(&message.id) }))
        }
        Write::Mark(..) => marked.next().map(Outcome::Marked),
        Write::Settlement(_) => settled.next().map(Outcome::Settled),
        Write::Claim(_) => claimed.next().map(|claimed| Outcome::Claimed(Box::new(claimed))),
    };
    items.iter().filter_map(outcome).collect()
}

fn group(store: &Arc<dyn Store>) -> Group {
    let store = store.clone();
    let size = |write: &Write| match write {
        Write::Message(message) => message.sealed.len(),
        _ => 0,
    };
    // An outcome other than an acceptance changes many pages, and only its own worker waits for it.
    let yields = |write: &Write| match write {
        Write::Settlement(settlement) => settlement.status.state != MessageState::Accepted,
        _ => false,
    };
    GroupCommit::sharing(Sharing { size, yields }, move |items: Vec<Write>| {
        let store = store.clone();
        async move {
            let written = write(&*store, &batch(&items)).await.map(|written| outcomes(&items, written));
            (items, written)
        }
    })
}

impl Writes {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let (messages, one_writer) = (group(store), store.one_writer().is_some());
        let of_its_own = || if one_writer { messages.clone() } else { group(store) };
        Self { one_writer, progress: of_its_own(), claims: of_its_own(), large: group(store), messages }
    }

    /// Enqueues a message without waiting until it is written.
    pub async fn begin_to_insert(&self, message: QueuedMessage) -> Result<Inserting, Unwritten> {
        let is_large = message.sealed.len() > LARGE;
        let group = if is_large { &self.large } else { &self.messages };
        let pending = group.begin(Write::Message(Box::new(message))).await?;
        Ok(Inserting { pending, claims_follow: self.one_writer && !is_large })
    }

    /// Notes that the end of a message is about to be sent; `false` when its lease is not ours any more.
    pub async fn mark_commit(&self, mark: CommitMark, now: Timestamp) -> Result<bool, Unwritten> {
        match self.progress.write(Write::Mark(mark, now)).await? {
            Outcome::Marked(held) => Ok(held),
            _ => Err(Unwritten::Rejected),
        }
    }

    pub async fn claim(&self, claim: Claim) -> Result<Claimed, Unwritten> {
        match self.claims.write(Write::Claim(Box::new(claim))).await? {
            Outcome::Claimed(claimed) => Ok(*claimed),
            _ => Err(Unwritten::Rejected),
        }
    }

    pub async fn settle(&self, settlement: Settlement) -> Result<Settled, Unwritten> {
        self.begin_to_settle(settlement).await?.settled().await
    }

    /// The same, without waiting until it is written.
    pub async fn begin_to_settle(&self, settlement: Settlement) -> Result<Settling, Unwritten> {
        Ok(Settling(self.progress.begin(Write::Settlement(Box::new(settlement))).await?))
    }
}
