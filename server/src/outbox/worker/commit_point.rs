//! Server side. The moment from which a message may be on its way: noted on disk before its last bytes leave.

use async_trait::async_trait;
use mail::smtp::CommitPoint;
use uuid::Uuid;

use crate::{outbox::Outbox, store::outbox::CommitMark};

/// Reached when it is on disk, under our lease, that the end of the message is about to be sent, and to whom.
pub(super) struct LeaseCommitPoint<'a> {
    pub outbox: &'a Outbox,
    pub lease_token: &'a str,
    pub id: Uuid,
    /// How many recipients wait.
    pub waiting: usize,
}

#[async_trait]
impl CommitPoint for LeaseCommitPoint<'_> {
    async fn reach(&self, to: &[String]) -> bool {
        let to = (to.len() < self.waiting).then(|| to.to_vec());
        let mark = CommitMark { id: self.id, lease_token: self.lease_token.to_owned(), to };
        self.outbox.writes.mark_commit(mark, self.outbox.now()).await.unwrap_or(false)
    }
}
