//! Server side. Hands lanes that have something due to workers, round by round: every lane a few messages, so that none
//! waits for the end of another.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use app::{
    diagnosis::cause::Cause,
    profile::sending::Sign,
    session::AccountId,
    test_run::{event::Stage, report::Verdict},
};
use jiff::SignedDuration;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    Outbox,
    judge::wait,
    route::{NoRoute, Route},
    routes::Place,
    worker::{self, TRUSTED},
};
use crate::{
    profiles::{fingerprint, unavailable},
    sending::submission,
    smtp::{Depth, Letter, Submission},
    store::{
        ProfileRow,
        outbox::{HealthReport, Lane, Via},
    },
    tester::MOST_REFUSALS,
};

/// Messages a worker takes at once.
const BATCH: u32 = 16;
/// Lanes looked at with one question.
const LANES: u32 = 256;
/// How long nobody looks when nobody knocks: others may have put something in, and waits end.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A lane without a server is looked at again after so long, unless something is changed.
const WITHOUT_SERVER: SignedDuration = SignedDuration::from_mins(10);
/// The same for one whose day's amount is used up.
const WITHOUT_QUOTA: SignedDuration = SignedDuration::from_mins(10);

pub(super) async fn run(outbox: Arc<Outbox>) {
    loop {
        outbox.round().await;
        tokio::select! {
            () = outbox.stop.cancelled() => return,
            () = outbox.news.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl Outbox {
    /// Looks at every lane with something due, from the one after that which was served last, around to it: a lane that
    /// always has something does not come before the others.
    async fn round(self: &Arc<Self>) {
        let start = self.served.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut after = start.clone();
        let mut wrapped = false;
        while !self.stop.is_cancelled() && self.workers.available_permits() > 0 {
            let lanes = match self.store.due_lanes(self.now(), &after, LANES).await {
                Ok(lanes) => lanes,
                Err(error) => {
                    unavailable(error);
                    return;
                }
            };
            for lane in &lanes {
                let key = lane.key();
                if wrapped && key > start {
                    return;
                }
                if self.workers.available_permits() == 0 {
                    return;
                }
                self.serve(lane).await;
                after = key;
            }
            if lanes.len() < LANES as usize {
                if wrapped || start.is_empty() {
                    return;
                }
                (wrapped, after) = (true, String::new());
            }
        }
    }

    /// The server of a lane, as it was a moment ago: many lanes wait for few servers.
    async fn route_of(&self, lane: &Lane) -> Result<Route, NoRoute> {
        let (key, changes) = (lane.key(), self.changes.load(Ordering::SeqCst));
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, (at, at_changes, _)| at.elapsed() < TRUSTED && *at_changes == changes);
            if let Some((.., route)) = known.get(&key) {
                return Ok(route.clone());
            }
        }
        let route = self.route(lane, false).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, (Instant::now(), changes, route.clone()));
        Ok(route)
    }

    /// Gives a lane's due messages to as many workers as its server allows.
    async fn serve(self: &Arc<Self>, lane: &Lane) {
        let route = match self.route_of(lane).await {
            Ok(route) => route,
            Err(NoRoute::Unavailable) => return,
            Err(_) => return self.put_off(lane, WITHOUT_SERVER, None).await,
        };
        let id = route.id();
        if self.routes.is_full(&id, route.connections) {
            return;
        }
        if let Some(left) = self.routes.blocked(&id) {
            let cause = route.profile().and_then(|row| row.health.failing_cause);
            return self.put_off(lane, signed(left), cause).await;
        }
        if self.quota_is_used_up(&route).await {
            return self.put_off(lane, WITHOUT_QUOTA, Some(Cause::QuotaExceeded)).await;
        }
        let held = route.profile().is_some_and(|row| row.health.is_held()) && route.via == Via::Profile;
        if held && !self.may_go_on(&route).await {
            let cause = route.profile().and_then(|row| row.health.failing_cause);
            let left = self.routes.blocked(&id).unwrap_or(self.options.first_retry);
            return self.put_off(lane, signed(left), cause).await;
        }
        // One message tells whether the server has come round.
        let batch = if held { 1 } else { BATCH };
        loop {
            let Ok(permit) = self.workers.clone().try_acquire_owned() else { return };
            let Some(place) = self.routes.enter(&id, route.connections) else { return };
            let taken = self.start_worker(lane, &route, batch, (permit, place)).await;
            if held || taken < batch {
                return;
            }
        }
    }

    /// Claims messages and starts a worker on them; how many.
    async fn start_worker(
        self: &Arc<Self>,
        lane: &Lane,
        route: &Route,
        batch: u32,
        (permit, place): (OwnedSemaphorePermit, Place),
    ) -> u32 {
        let now = self.now();
        let until = now + signed(self.options.lease);
        let claimed = match self.store.claim(lane, &self.owner, now, until, batch).await {
            Ok(claimed) => claimed,
            Err(error) => {
                unavailable(error);
                return 0;
            }
        };
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        if count > 0 {
            *self.served.lock().unwrap_or_else(PoisonError::into_inner) = lane.key();
            let (outbox, route) = (self.clone(), route.clone());
            self.tasks.spawn(async move {
                worker::work(&outbox, route, claimed, &place).await;
                drop((place, permit));
                outbox.news.notify_one();
            });
        }
        count
    }

    async fn put_off(&self, lane: &Lane, wait: SignedDuration, cause: Option<Cause>) {
        let now = self.now();
        if let Err(error) = self.store.hold(lane, now, now + wait, cause).await {
            unavailable(error);
        }
    }

    async fn quota_is_used_up(&self, route: &Route) -> bool {
        let (Some(per_day), Some(row)) = (route.per_day, route.profile()) else { return false };
        match self.store.sent_since(row.id, self.now() - SignedDuration::from_hours(24)).await {
            Ok(sent) => sent >= u64::from(per_day),
            Err(error) => {
                unavailable(error);
                true
            }
        }
    }

    /// Whether a profile that is held may be tried with a message: a conversation without one went well, or would tell
    /// nothing. A password that was refused three times is left alone until it is changed.
    async fn may_go_on(&self, route: &Route) -> bool {
        let Some(row) = route.profile() else { return true };
        let id = route.id();
        let wait = |_: u32| self.wait(row.health.failures.saturating_sub(1));
        if row.secret_refusals >= MOST_REFUSALS {
            self.routes.block(&id, |_| self.options.longest_retry);
            return false;
        }
        if row.health.failing_cause.is_some_and(shows_with_a_message_only) {
            return true;
        }
        let well = self.check(&route.account, row).await == Sign::Well;
        if !well {
            self.routes.block(&id, wait);
        }
        well
    }

    /// The wait after so many tries.
    pub(super) fn wait(&self, tries: u32) -> Duration {
        wait(tries, self.options.first_retry, self.options.longest_retry, rand::random())
    }

    /// Logs in and names the sender, sends nothing, and takes in what that tells of the profile.
    pub(super) async fn check(&self, account: &AccountId, row: &ProfileRow) -> Sign {
        let report = match self.without_a_message(account, row) {
            Some(submission) => Some(self.submitter.submit(&submission, &mut |_| {}).await),
            None => None,
        };
        // Whether the sender's own mailbox takes mail is not the question.
        let well =
            report.as_ref().is_some_and(|report| report.verdict == Verdict::DryRunOk || report.stage > Stage::MailFrom);
        let cause = report.as_ref().and_then(|report| report.cause);
        let told = if well { Sign::Well } else { Sign::Failed(cause.unwrap_or(Cause::Unknown)) };
        let refused = report.is_some_and(|report| report.stage == Stage::Auth && !report.retryable);
        let health = HealthReport {
            profile: row.id,
            fingerprint: fingerprint(row),
            sign: told,
            secret_refused: refused && !well,
            failure: None,
            check: true,
        };
        let tell = self.tells(&account.portal);
        if let Err(error) = self.store.record_health(account, &health, self.now(), tell).await {
            unavailable(error);
        }
        tracing::info!(profile = %row.id, well, cause = cause.map(Cause::as_str), "profile checked");
        told
    }

    /// A conversation that ends before the message; `None` when the secret does not open.
    fn without_a_message(&self, account: &AccountId, row: &ProfileRow) -> Option<Submission> {
        let secret = self.book.open(account, row).ok().flatten()?;
        let sender = row.settings.sender_address.as_str().parse::<lettre::Address>().ok()?;
        let letter = Letter::empty(&sender);
        let submission = submission(&row.settings.destination, Some(secret), &letter, vec![sender]).ok()?;
        Some(Submission { depth: Depth::Recipients, ..submission })
    }
}

/// Causes that a conversation without a message does not meet.
const fn shows_with_a_message_only(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::DomainAuthentication
            | Cause::IpBlocked
            | Cause::SandboxRestricted
            | Cause::QuotaExceeded
            | Cause::Unknown
            | Cause::ProtocolError
    )
}

pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
