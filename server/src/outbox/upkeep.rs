//! Server side. What has to be looked after whether anything is sent or not.

use std::{sync::Arc, time::Duration};

use app::{profile::sending::Sign, test_run::event::Stage};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    Outbox,
    dispatch::signed,
    judge::{give_up, state_of},
};
use crate::{
    events::message_finished,
    profiles::unavailable,
    store::{
        StoreError,
        outbox::{Attempt, AttemptOutcome, MessageRow, MessageState, RecipientState, Right, Settlement},
    },
};

const EVERY: Duration = Duration::from_secs(1);
const CHECK_EVERY: Duration = Duration::from_secs(30);
const PURGE_EVERY: Duration = Duration::from_secs(10 * 60);
/// Logins that are tried for their own sake at the same time.
const CHECKS: u32 = 8;
/// Rows taken with one question.
const SOME: u32 = 200;

/// Prolongs our leases, by itself: nothing else may hold it up.
pub(super) async fn keep_leases(outbox: Arc<Outbox>) {
    let mut ticks = interval(outbox.options.lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let until = outbox.now() + signed(outbox.options.lease);
        if let Err(error) = outbox.store.prolong(&outbox.owner, until).await {
            unavailable(error);
        }
    }
}

pub(super) async fn run(outbox: Arc<Outbox>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut checked: Option<Instant> = None;
    let mut purged: Option<Instant> = None;
    let due = |last: &mut Option<Instant>, every: Duration| {
        let due = last.is_none_or(|at| at.elapsed() >= every);
        if due {
            *last = Some(Instant::now());
        }
        due
    };
    loop {
        tokio::select! {
            () = outbox.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        outbox.routes.tidy(false);
        let outcome = async {
            outbox.take_over_the_abandoned().await?;
            outbox.end_the_overdue().await?;
            if due(&mut purged, PURGE_EVERY) {
                outbox.purge().await?;
            }
            if due(&mut checked, CHECK_EVERY) {
                outbox.check_logins().await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = outcome.await {
            unavailable(error);
        }
    }
}

impl Outbox {
    /// Messages whose worker is gone: those whose end was about to be sent may have left, the others go on.
    async fn take_over_the_abandoned(&self) -> Result<(), StoreError> {
        let now = self.now();
        for row in self.store.abandoned(now, SOME).await? {
            let mut recipients = row.recipients.clone();
            let may_have_left = row.ending_at.is_some();
            if may_have_left {
                for recipient in recipients.iter_mut().filter(|one| one.state == RecipientState::Pending) {
                    recipient.state = RecipientState::DeliveryUnknown;
                }
            }
            let state = if may_have_left {
                state_of(&recipients)
            } else if row.tries > 0 {
                MessageState::Deferred
            } else {
                MessageState::Queued
            };
            let outcome = may_have_left.then_some(AttemptOutcome::DeliveryUnknown);
            tracing::warn!(message = %row.id, state = state.as_str(), "its sending was interrupted");
            self.close_the_book(&row, Right::LeaseEnded(now), state, (outcome, recipients), now).await;
        }
        Ok(())
    }

    /// Messages that could not be sent in time.
    async fn end_the_overdue(&self) -> Result<(), StoreError> {
        let now = self.now();
        for row in self.store.overdue(now, SOME).await? {
            let mut recipients = row.recipients.clone();
            give_up(&mut recipients, row.cause);
            let state = state_of(&recipients);
            self.close_the_book(&row, Right::Waiting, state, (Some(AttemptOutcome::Expired), recipients), now).await;
        }
        Ok(())
    }

    async fn close_the_book(
        &self,
        row: &MessageRow,
        right: Right,
        state: MessageState,
        (outcome, recipients): (Option<AttemptOutcome>, Vec<crate::store::outbox::Recipient>),
        now: Timestamp,
    ) {
        // What was only claimed was not tried.
        let attempt = outcome.map(|outcome| Attempt {
            at: row.ending_at.unwrap_or(now),
            duration_ms: 0,
            via: None,
            profile: None,
            outcome,
            stage: row.ending_at.map(|_| Stage::Data),
            cause: row.cause.filter(|_| outcome == AttemptOutcome::Expired),
            reply: None,
            queue_id: None,
        });
        let tell = self.tells(&row.lane.account.portal);
        let event = attempt.as_ref().and_then(|attempt| message_finished(row, state, &recipients, attempt, now));
        if let Some(attempt) = &attempt {
            self.metrics.attempted(attempt.outcome, attempt.cause);
        }
        let settlement = Settlement {
            id: row.id,
            lane: row.lane.clone(),
            right,
            at: now,
            attempt,
            counts: false,
            state,
            recipients,
            next_at: (!state.is_final()).then_some(now),
            fallback: row.fallback,
            health: None,
            event: event.filter(|_| tell),
            tell,
        };
        let _ = self.ledger.settle(settlement).await;
        self.news.notify_one();
    }

    async fn purge(&self) -> Result<(), StoreError> {
        let now = self.now();
        let (kept, content_kept) = (now - self.options.kept, now - self.options.content_kept);
        while !self.stop.is_cancelled() && self.store.purge(kept, content_kept, SOME).await? >= u64::from(SOME) {}
        Ok(())
    }

    /// Logs in where the owner wants to know, and where something is broken.
    async fn check_logins(self: &Arc<Self>) -> Result<(), StoreError> {
        let before = self.now() - SignedDuration::from_hours(1);
        let due = self.store.profiles_to_check(before, CHECKS).await?;
        let checks = due.into_iter().map(|(account, row)| {
            let outbox = self.clone();
            async move { outbox.check(&account, &row).await }
        });
        let told = futures::future::join_all(checks).await;
        if told.contains(&Sign::Well) {
            self.news.notify_one();
        }
        Ok(())
    }
}
