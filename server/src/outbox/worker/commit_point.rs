//! Server side. The moment from which a message may have been sent: noted on disk before its last bytes leave.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mail::smtp::CommitPoint;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{outbox::Outbox, store::outbox::CommitMark};

/// Reached once the disk says, under our lease, that the end of the message is about to be sent, and to which
/// recipients.
pub(super) struct LeaseCommitPoint<'a> {
    pub outbox: &'a Outbox,
    pub lease_token: &'a str,
    pub id: Uuid,
    /// How many recipients are pending.
    pub waiting: usize,
    /// Once set, the message may leave.
    pub reached: AtomicBool,
}

impl LeaseCommitPoint<'_> {
    /// Resolves when this replica has lost its places. Never resolves once the commit point is reached: the message may
    /// have left.
    pub(super) async fn lost_before(&self, lost: &CancellationToken) {
        lost.cancelled().await;
        if self.reached.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl CommitPoint for LeaseCommitPoint<'_> {
    async fn reach(&self, to: &[String]) -> bool {
        self.reached.store(true, Ordering::Relaxed);
        let to = (to.len() < self.waiting).then(|| to.to_vec());
        let mark = CommitMark { id: self.id, lease_token: self.lease_token.to_owned(), to };
        self.outbox.writes.mark_commit(mark, self.outbox.now()).await.unwrap_or(false)
    }
}
