//! Server side. Persists the outcome of an attempt, with retries.

use std::time::Duration;

use app::{
    diagnosis::cause::Cause,
    profile::sending::{HealthSignal, HealthTransition},
    test_run::{port::TestRun, report::Report},
};
use jiff::Timestamp;

use super::{Next, ONCE_MORE, Transaction, Worker};
use crate::{
    events::{message_finished, profile_transition},
    group_commit::Unwritten,
    outbox::{
        dispatcher::{DestinationRef, signed},
        judge::{Chances, judge},
        route::Server,
        status::{give_up, needs_its_content, status_of},
    },
    profiles::{ChangeListener, fingerprint},
    store::outbox::{
        Attempt, AttemptOutcome, HealthReport, MessageState, MessageStatus, Precondition, Settled, Settlement,
        StoredMessage, TransitionEvent,
    },
};

impl Worker<'_> {
    pub(super) async fn settle(&mut self, message: &StoredMessage, report: Report, had: Transaction<'_>) -> Next {
        let Transaction { began, to, others, may_split, same_connection } = had;
        let now = self.outbox.now();
        let row = match &self.route.server {
            Server::Profile(row) => Some(row),
            Server::Relay(..) => None,
        };
        let was_held = row.is_some_and(|row| row.health.is_held());
        let has_relay = self.outbox.portal(&message.lane.account.portal).is_some_and(|portal| portal.relay.is_some());
        let judgement = judge(
            message,
            &report,
            Chances {
                to,
                others,
                may_split,
                same_connection,
                retry_at: now + signed(self.outbox.wait(message.tries + 1)),
                may_fall_back: has_relay && row.is_some_and(|row| row.sending.fallback),
                now,
            },
        );
        let attempt = Attempt {
            at: began,
            duration_ms: u64::try_from(began.duration_until(now).as_millis()).unwrap_or_default(),
            via: Some(self.route.via),
            profile: self.route.profile().map(|row| row.id),
            outcome: judgement.outcome,
            stage: Some(report.stage),
            cause: report.cause,
            reply: report.reply.clone(),
            queue_id: report.queue_id.clone(),
        };
        let health = row.zip(judgement.signal).map(|(row, signal)| HealthReport {
            profile: row.id,
            fingerprint: fingerprint(row),
            signal,
            failure: matches!(signal, HealthSignal::Failed(_)).then(|| Box::new(failure(message, report, now))),
            check: false,
        });
        let cause = attempt.cause;
        self.outbox.metrics.attempted(judgement.outcome, cause);
        let tell = self.outbox.has_webhook(&message.lane.account.portal);
        let event = message_finished(message, &judgement.status, &judgement.recipients, &attempt, now);
        if let Some(most) = judgement.most {
            self.outbox.recipient_limits.learn(&self.route.id(), most);
        }
        let recipients = judgement.recipients.clone();
        // The lease goes on with the next transaction.
        let state = if judgement.goes_on { MessageState::Sending } else { judgement.status.state };
        let settlement = Settlement {
            id: message.id,
            lane: message.lane.clone(),
            precondition: Precondition::Lease(self.lease_token.to_owned()),
            at: now,
            counts: !judgement.goes_on,
            status: MessageStatus { state, ..judgement.status },
            content_done: !needs_its_content(&recipients),
            recipients: judgement.recipients,
            next_at: judgement.next_at,
            fallback: judgement.fallback,
            event: event.filter(|_| tell),
            attempt: Some(attempt),
            health,
            transition_event: tell.then_some(profile_transition as TransitionEvent),
        };
        tracing::debug!(message = %message.id, state = state.as_str(), "message tried");
        let settled = self.for_sure(settlement).await;
        match settled.as_ref().ok().and_then(|settled| settled.transition) {
            // What waits for it waits no more.
            Some(HealthTransition::Recovered) => {
                self.outbox.recovered(DestinationRef { id: &self.route.id(), key: &self.destination }).await;
                self.outbox.changed(&message.lane.account).await;
            }
            // Look again before the next one.
            Some(HealthTransition::Broke(_)) => self.outbox.changes.count(&message.lane.account),
            None => {}
        }
        // One message was to tell whether a held profile has come round, and did.
        let still_held = was_held && matches!(judgement.signal, Some(HealthSignal::Failed(_)));
        let (id, probe) = (self.route.id(), std::mem::take(&mut self.probe));
        let server = DestinationRef { id: &id, key: &self.destination };
        if judgement.trouble || still_held {
            self.outbox.rest(server, cause, probe, |troubles| self.outbox.wait(troubles)).await;
            // They wait for the server, not for a time of their own.
            return Next::GiveBack { this: false, after: Duration::ZERO };
        }
        if probe || (judgement.signal == Some(HealthSignal::Sent) && self.outbox.destinations.blocked(&id).is_some()) {
            self.outbox.recovered(server).await;
        }
        if judgement.fallback && !message.fallback {
            // Its lane has just begun.
            self.outbox.conversation_ended(String::new());
        }
        if judgement.goes_on && settled.as_ref().is_ok_and(|settled| settled.done) {
            return Next::GoOn(recipients);
        }
        if settled.is_err() {
            // It stays under its lease; what became of it is not on disk. Its mark says that it may have left.
            return Next::GiveBack { this: false, after: self.outbox.options.first_retry };
        }
        Next::Message
    }

    /// The message cannot be sent by anybody: its content is gone or does not open.
    pub(super) async fn unsendable(&self, message: &StoredMessage, now: Timestamp) -> Next {
        let mut recipients = message.recipients.clone();
        give_up(&mut recipients, None, None);
        let status = status_of(&recipients);
        let attempt = Attempt {
            at: now,
            duration_ms: 0,
            via: Some(self.route.via),
            profile: self.route.profile().map(|row| row.id),
            outcome: AttemptOutcome::Failed,
            stage: None,
            cause: Some(Cause::Unknown),
            reply: None,
            queue_id: None,
        };
        let tell = self.outbox.has_webhook(&message.lane.account.portal);
        let event = message_finished(message, &status, &recipients, &attempt, now).filter(|_| tell);
        let settlement = Settlement {
            id: message.id,
            lane: message.lane.clone(),
            precondition: Precondition::Lease(self.lease_token.to_owned()),
            at: now,
            attempt: Some(attempt),
            counts: false,
            status,
            content_done: false,
            recipients,
            next_at: None,
            fallback: message.fallback,
            health: None,
            event,
            transition_event: tell.then_some(profile_transition as TransitionEvent),
        };
        debug_assert!(settlement.status.state.is_final());
        let _ = self.for_sure(settlement).await;
        Next::Message
    }

    /// Persists the outcome, retrying until the disk accepts it: it is known nowhere else.
    async fn for_sure(&self, settlement: Settlement) -> Result<Settled, Unwritten> {
        loop {
            match self.outbox.writes.settle(settlement.clone()).await {
                Err(_) if !self.outbox.stop.is_cancelled() => tokio::time::sleep(ONCE_MORE).await,
                outcome => return outcome,
            }
        }
    }
}

/// A failure as the profile's page shows it.
fn failure(message: &StoredMessage, report: Report, at: Timestamp) -> TestRun {
    let recipient = message.recipients.first().map(|recipient| recipient.address.clone()).unwrap_or_default();
    TestRun { at, recipient, report }
}
