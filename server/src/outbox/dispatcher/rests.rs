//! Server side. Back-off of lanes and servers.

use std::time::Duration;

use app::diagnosis::cause::Cause;
use jiff::SignedDuration;

use super::{SKIPPED, left};
use crate::{
    outbox::{Outbox, destinations::DestinationRef},
    replicas::Notice,
    store::outbox::{Queue, Rest},
};

impl Outbox {
    pub(super) async fn rest_lane(&self, queue: &Queue, wait: SignedDuration, cause: Option<Cause>) {
        // New messages do not end the back-off; a change of the account does.
        self.ready(|ready| ready.skip(queue.key(), wait.unsigned_abs().min(SKIPPED * 30)));
        if let Err(error) = self.store.rest_lane(queue, self.now() + wait, cause).await {
            error.log();
        }
    }

    /// Backs off from a server after a failure. `wait` gives the time for the number of consecutive failures.
    pub(in crate::outbox) async fn rest(
        &self,
        DestinationRef { id, key }: DestinationRef<'_>,
        cause: Option<Cause>,
        probe: bool,
        wait: impl Fn(u32) -> Duration + Send + Sync,
    ) {
        let (now, recoveries) = (self.now(), self.destinations.recoveries(id));
        let rest = self.store.rest_destination(key, &|rest: Rest| rest.after_trouble(now, cause, probe, &wait)).await;
        match rest {
            Ok(rest) => {
                self.destinations.block(id, recoveries, left(rest.until, now), cause);
                self.replicas.tell(Notice::Rests { destination: key.to_owned(), until: rest.until, cause });
            }
            Err(error) => {
                error.log();
                self.destinations.block(id, recoveries, self.options.first_retry, cause);
            }
        }
    }

    /// A server works again: every lane that waits for it becomes due.
    pub(in crate::outbox) async fn recovered(&self, DestinationRef { id, key }: DestinationRef<'_>) {
        if let Err(error) = self.store.ease(&[key.to_owned()]).await {
            error.log();
        }
        // After the write: until then, other tasks may read the earlier back-off from the database.
        self.destinations.unblock(id);
        self.conversation_ended(key.to_owned());
        self.replicas.tell(Notice::Recovered { destination: key.to_owned() });
    }
}
