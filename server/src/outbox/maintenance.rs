//! Server side. Periodic work that does not depend on whether anything is sent.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use app::test_run::event::Stage;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    Outbox,
    status::{disowned, give_up, interrupted, needs_its_content, status_of},
};
use crate::{
    events::{message_finished, message_quarantined, profile_transition},
    replicas::Place,
    store::{
        StoreError,
        outbox::{
            Attempt, AttemptOutcome, Precondition, Quarantined, Recipient, Settlement, StoredMessage, TransitionEvent,
        },
    },
};

mod clock;

const EVERY: Duration = Duration::from_secs(1);
const CHECK_EVERY: Duration = Duration::from_secs(30);
/// How often a replica tries to become the one that does the maintenance.
const TURN_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_secs(10 * 60);
/// Login checks at the same time.
const CHECKS: usize = 8;
/// Due profiles read in one pass, from which those with free slots are chosen.
const CHECKS_DUE: u32 = 64;
/// Most messages deleted with one statement: other writes wait until it is on disk, and each message changes several
/// pages.
const FORGOTTEN: u32 = 10;
/// Groups deleted at a tick, and the shortest pause between two. The pause lasts as long as the group did, and several
/// times as long while messages are being sent: most of the disk's time is theirs.
const GROUPS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_WHILE_SENDING: u32 = 6;
/// Rows read with one query.
const SOME: u32 = 200;

/// Extends our leases in a task of its own, so that nothing delays it.
pub(super) async fn keep_leases(outbox: Arc<Outbox>) {
    let mut ticks = interval(outbox.options.lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        outbox.prolong().await;
    }
}

pub(super) async fn run(outbox: Arc<Outbox>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut checked: Option<Instant> = None;
    let mut purged: Option<Instant> = None;
    let mut asked: Option<Instant> = None;
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
        outbox.destinations.tidy(false);
        outbox.admission.tidy();
        let outcome = async {
            outbox.check_clock().await?;
            outbox.store.forget_deleted(outbox.now()).await?;
            outbox.recover_abandoned().await?;
            // One replica does the rest for all.
            if !outbox.has_turn(&mut asked).await {
                return Ok(());
            }
            outbox.fail_overdue().await?;
            outbox.report_quarantined().await?;
            if due(&mut purged, PURGE_EVERY) && outbox.purge().await? {
                // There is more: continue at the next tick.
                purged = None;
            }
            if due(&mut checked, CHECK_EVERY) {
                outbox.check_logins().await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = outcome.await {
            error.log();
        }
    }
}

/// The outcome of a message without a worker.
struct Unattended {
    /// `None`: it was only claimed, never tried.
    outcome: Option<AttemptOutcome>,
    recipients: Vec<Recipient>,
}

impl Outbox {
    /// Whether this replica does the maintenance for all. `asked`: when it last tried to become the one that does.
    async fn has_turn(&self, asked: &mut Option<Instant>) -> bool {
        let mut turn = self.turn.lock().await;
        if !turn.as_ref().is_some_and(Place::is_held) && asked.is_none_or(|at| at.elapsed() >= TURN_EVERY) {
            *asked = Some(Instant::now());
            *turn = self.replicas.take_turn(|| "maintenance".to_owned()).await;
        }
        turn.as_ref().is_some_and(Place::is_held)
    }

    /// Recovers messages whose worker is gone: those with a commit mark may have been sent, the others are queued
    /// again.
    async fn recover_abandoned(&self) -> Result<(), StoreError> {
        let now = self.now();
        // Usually there are none, and no write is needed.
        if self.store.abandoned(now, 1).await?.is_empty() {
            return Ok(());
        }
        // Extend our own leases first: the clock may have jumped. If that cannot be written, our leases expire on a
        // full disk while their workers still know the outcome, and wait to write it.
        if !self.prolong().await || !self.replicas.is_current() {
            return Ok(());
        }
        for row in self.store.abandoned(now, SOME).await? {
            let outcome = row.ending_at.map(|_| AttemptOutcome::DeliveryUnknown);
            let unattended = Unattended { outcome, recipients: interrupted(&row) };
            if self.settle_unattended(&row, Precondition::LeaseEnded(now), unattended, now).await {
                tracing::warn!(message = %row.id, may_have_left = outcome.is_some(), "sending was interrupted");
            }
        }
        Ok(())
    }

    /// After a restore: messages sent since the backup are unknown, so every waiting message becomes
    /// `delivery_unknown`. Returns how many.
    pub async fn disown(&self) -> Result<u64, StoreError> {
        let (now, mut count) = (self.now(), 0);
        loop {
            let waiting =
                self.store.overdue(Timestamp::MAX, SOME).await?.into_iter().map(|row| (row, Precondition::Waiting));
            let leased = self.store.abandoned(Timestamp::MAX, SOME).await?.into_iter();
            let leased = leased.map(|row| (row, Precondition::LeaseEnded(Timestamp::MAX)));
            let rows: Vec<_> = waiting.chain(leased).collect();
            if rows.is_empty() {
                return Ok(count);
            }
            for (row, precondition) in rows {
                let unattended =
                    Unattended { outcome: Some(AttemptOutcome::DeliveryUnknown), recipients: disowned(&row) };
                if !self.settle_unattended(&row, precondition, unattended, now).await {
                    return Err(StoreError::Inconsistent {
                        table: "message",
                        column: "state",
                        row: row.id.to_string(),
                    });
                }
                count += 1;
            }
        }
    }

    /// Fails messages that could not be sent in time.
    async fn fail_overdue(&self) -> Result<(), StoreError> {
        let now = self.now();
        for row in self.store.overdue(now, SOME).await? {
            let mut recipients = row.recipients.clone();
            give_up(&mut recipients, row.cause, row.stage);
            let unattended = Unattended { outcome: Some(AttemptOutcome::Expired), recipients };
            self.settle_unattended(&row, Precondition::Waiting, unattended, now).await;
        }
        Ok(())
    }

    /// Reports rows that were quarantined since the last look: once each, however often they are read.
    async fn report_quarantined(&self) -> Result<(), StoreError> {
        let rows = self.store.newly_quarantined(SOME).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let events = rows.iter().filter_map(|row| message_quarantined(row, now));
        let events: Vec<_> = events.filter(|event| self.has_webhook(&event.portal)).collect();
        self.store.quarantine_told(&rows, &events).await?;
        for Quarantined { table, row, column, .. } in &rows {
            tracing::error!(table, row, column, "quarantined a row that cannot be decoded");
        }
        Ok(())
    }

    /// Settles a message without a worker. Returns whether it still had none.
    async fn settle_unattended(
        &self,
        row: &StoredMessage,
        precondition: Precondition,
        Unattended { outcome, recipients }: Unattended,
        now: Timestamp,
    ) -> bool {
        let status = status_of(&recipients);
        // A message that was only claimed has no attempt.
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
        let tell = self.has_webhook(&row.lane.account.portal);
        let event = attempt.as_ref().and_then(|attempt| message_finished(row, &status, &recipients, attempt, now));
        let counted = attempt.as_ref().map(|attempt| (attempt.outcome, attempt.cause));
        let settlement = Settlement {
            id: row.id,
            lane: row.lane.clone(),
            precondition,
            at: now,
            attempt,
            counts: false,
            next_at: (!status.state.is_final()).then_some(now),
            status,
            content_done: !needs_its_content(&recipients),
            recipients,
            fallback: row.fallback,
            health: None,
            event: event.filter(|_| tell),
            transition_event: tell.then_some(profile_transition as TransitionEvent),
        };
        let done = self.writes.settle(settlement).await.is_ok_and(|settled| settled.done);
        self.work_available.notify_one();
        // Another replica may have been first.
        if let Some((outcome, cause)) = counted.filter(|_| done) {
            self.metrics.attempted(outcome, cause);
        }
        done
    }

    /// Deletes expired messages group by group, so that other writes get through. Returns whether there are more.
    async fn purge(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let (kept, content_kept) = (now - self.options.kept, now - self.options.content_kept);
        for _ in 0..GROUPS {
            let began = Instant::now();
            if self.stop.is_cancelled() || self.store.purge(kept, content_kept, FORGOTTEN).await? == 0 {
                return Ok(false);
            }
            let is_sending = !self.lease_tokens.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            let times = if is_sending { PAUSE_WHILE_SENDING } else { 1 };
            tokio::time::sleep(began.elapsed().max(PAUSE) * times).await;
        }
        Ok(true)
    }

    /// Checks the logins of profiles whose owner asked for it, and of broken ones, beside all other work.
    pub(super) async fn check_logins(self: &Arc<Self>) -> Result<(), StoreError> {
        let before = self.now() - SignedDuration::from_hours(1);
        let due = self.store.profiles_to_check(before, CHECKS_DUE).await?;
        if due.is_empty() {
            return Ok(());
        }
        let outbox = self.clone();
        self.tasks.spawn(async move {
            let Ok(_alone) = outbox.login_checks.try_lock() else { return };
            // A profile without a free slot is tried at the next pass.
            let checks = due.iter().filter_map(|one| outbox.check_with_slots(&one.account, &one.row)).take(CHECKS);
            let all = futures::future::join_all(checks);
            tokio::select! {
                _ = all => {}
                () = outbox.stop.cancelled() => {}
            }
        });
        Ok(())
    }
}
