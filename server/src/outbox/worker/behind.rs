//! Server side. The previous message while its outcome is being written, and the steps once it is.

use std::time::Duration;

use app::{
    diagnosis::cause::Cause,
    profile::sending::{HealthSignal, HealthTransition},
    session::AccountId,
};

use super::{Next, Worker};
use crate::{
    group_commit::Unwritten,
    outbox::{destinations::DestinationRef, writes::Settling},
    profiles::ChangeListener,
    store::outbox::{MessageState, Recipient, Settled, Settlement},
};

/// The previous message.
pub(super) struct Behind {
    pub settlement: Settlement,
    pub settling: Settling,
    pub after: After,
}

/// What an attempt means for the next steps.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct After {
    pub account: AccountId,
    pub state: MessageState,
    /// The profile was held after repeated failures.
    pub was_held: bool,
    pub signal: Option<HealthSignal>,
    /// The server needs a back-off.
    pub trouble: bool,
    /// The same message has another transaction.
    pub goes_on: bool,
    pub recipients: Vec<Recipient>,
    /// From now on the message goes through the relay.
    pub falls_back: bool,
    pub cause: Option<Cause>,
}

impl After {
    /// Whether the next message may be sent before the outcome is on disk: the server accepted this one, and nothing
    /// else depends on it.
    pub(super) fn is_plain(&self) -> bool {
        self.state == MessageState::Accepted
            && !(self.was_held || self.trouble || self.goes_on || self.falls_back)
            && matches!(self.signal, None | Some(HealthSignal::Sent))
    }
}

impl Worker<'_> {
    /// Waits until the outcome of the previous message is written. `false` when it could not be.
    pub(super) async fn finish_behind(&mut self) -> bool {
        let Some(Behind { settlement, settling, after }) = self.behind.take() else { return true };
        let settled = match settling.settled().await {
            Err(_) => self.for_sure(settlement).await,
            settled => settled,
        };
        matches!(self.after(settled, after).await, Next::Message)
    }

    /// Acts on an outcome that was written, or could not be.
    pub(super) async fn after(&mut self, settled: Result<Settled, Unwritten>, after: After) -> Next {
        match settled.as_ref().ok().and_then(|settled| settled.transition) {
            // Release the messages that wait for the profile.
            Some(HealthTransition::Recovered) => {
                self.outbox.recovered(DestinationRef { id: &self.route.id(), key: &self.destination }).await;
                self.outbox.changed(&after.account).await;
            }
            // Look up the route again before the next message.
            Some(HealthTransition::Broke(_)) => self.outbox.changes.count(&after.account),
            None => {}
        }
        // This message was the probe of a held profile, and it failed.
        let still_held = after.was_held && matches!(after.signal, Some(HealthSignal::Failed(_)));
        let (id, probe) = (self.route.id(), std::mem::take(&mut self.probe));
        let server = DestinationRef { id: &id, key: &self.destination };
        if after.trouble || still_held {
            self.outbox.rest(server, after.cause, probe, |troubles| self.outbox.wait(troubles)).await;
            // The messages wait for the server's back-off, not for a time of their own.
            return Next::GiveBack { this: false, after: Duration::ZERO };
        }
        if probe || (after.signal == Some(HealthSignal::Sent) && self.outbox.destinations.blocked(&id).is_some()) {
            self.outbox.recovered(server).await;
        }
        if after.falls_back {
            // The fallback lane has just got its first message.
            self.outbox.conversation_ended(String::new());
        }
        if after.goes_on && settled.as_ref().is_ok_and(|settled| settled.done) {
            return Next::GoOn(after.recipients);
        }
        if settled.is_err() {
            // The outcome is not on disk, so the message stays under its lease. Its commit mark says that it may have
            // been sent.
            return Next::GiveBack { this: false, after: self.outbox.options.first_retry };
        }
        Next::Message
    }
}
