//! Server side. Persists the outcome of an attempt, with retries.

use app::{
    diagnosis::cause::Cause,
    profile::sending::HealthSignal,
    test_run::{port::TestRun, report::Report},
};
use jiff::Timestamp;

use super::{
    Next, ONCE_MORE, Transaction, Worker,
    behind::{After, Behind},
};
use crate::{
    events::{message_finished, profile_transition},
    group_commit::Unwritten,
    outbox::{
        judge::{Chances, judge},
        route::Server,
        status::{give_up, needs_its_content, status_of},
    },
    profiles::fingerprint,
    store::outbox::{
        Attempt, AttemptOutcome, HealthReport, MessageState, MessageStatus, Precondition, Settled, Settlement,
        StoredMessage, TransitionEvent,
    },
    time::signed,
};

impl Worker<'_> {
    /// Writes the outcome of an attempt. For an accepted message, this does not wait until the write has finished.
    pub(super) async fn settle(&mut self, message: &StoredMessage, report: Report, had: Transaction<'_>) -> Next {
        let (settlement, after) = self.judged(message, report, had);
        let may_go_on = after.is_plain() && !self.probe && self.outbox.destinations.blocked(&self.route.id()).is_none();
        if may_go_on && let Ok(settling) = self.outbox.writes.begin_to_settle(settlement.clone()).await {
            self.behind = Some(Behind { settlement, settling, after });
            return Next::Message;
        }
        let settled = self.for_sure(settlement).await;
        self.after(settled, after).await
    }

    /// What to write about an attempt, and what follows from it.
    fn judged(&self, message: &StoredMessage, report: Report, had: Transaction<'_>) -> (Settlement, After) {
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
        let finished = || message_finished(message, &judgement.status, &judgement.recipients, &attempt, now);
        let event = tell.then(finished).flatten();
        if let Some(most) = judgement.most {
            self.outbox.recipient_limits.learn(&self.route.id(), most);
        }
        let recipients = judgement.recipients.clone();
        // The lease stays for the next transaction.
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
            event,
            attempt: Some(attempt),
            health,
            transition_event: tell.then_some(profile_transition as TransitionEvent),
        };
        tracing::debug!(message = %message.id, state = state.as_str(), "message tried");
        let after = After {
            account: message.lane.account.clone(),
            state,
            was_held,
            signal: judgement.signal,
            trouble: judgement.trouble,
            goes_on: judgement.goes_on,
            recipients,
            falls_back: judgement.fallback && !message.fallback,
            cause,
        };
        (settlement, after)
    }

    /// Fails a message that cannot be sent through any server: its content is missing or cannot be decrypted.
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
    pub(super) async fn for_sure(&self, settlement: Settlement) -> Result<Settled, Unwritten> {
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
