//! Server side. The moment from which a message may be on its way: noted on disk before its last bytes leave.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mail::smtp::CommitPoint;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{outbox::Outbox, store::outbox::CommitMark};

/// Reached when it is on disk, under our lease, that the end of the message is about to be sent, and to whom.
pub(super) struct LeaseCommitPoint<'a> {
    pub outbox: &'a Outbox,
    pub lease_token: &'a str,
    pub id: Uuid,
    /// How many recipients wait.
    pub waiting: usize,
    /// From then on the message may leave.
    pub reached: AtomicBool,
}

impl LeaseCommitPoint<'_> {
    /// Resolves once this replica has lost its places, as long as that keeps the message from leaving.
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
