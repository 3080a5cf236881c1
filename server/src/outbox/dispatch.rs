//! Server side. Hands lanes that have something due to workers, round by round: every lane a few messages, so that none
//! waits for the end of another.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use app::diagnosis::cause::Cause;
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
    profiles::unavailable,
    store::outbox::{Lane, Via},
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
        // Once a round, not at every lookup: there may be many lanes.
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (at, ..)| at.elapsed() < TRUSTED);
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

    /// The server of a lane, as it was a moment ago: many lanes wait for few servers. With the count of changes then.
    async fn route_of(&self, lane: &Lane, fallback: bool) -> Result<(Route, u64), NoRoute> {
        let (key, changes) = ((lane.key(), fallback), self.changes.now(&lane.account));
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, at_changes, route)) = known.get(&key)
                && at.elapsed() < TRUSTED
                && *at_changes == changes
            {
                return Ok((route.clone(), changes));
            }
        }
        let route = self.route(lane, fallback).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, (Instant::now(), changes, route.clone()));
        Ok((route, changes))
    }

    /// Gives a lane's due messages to as many workers as its server allows: those that go the usual way, then those that fell
    /// back to the relay.
    async fn serve(self: &Arc<Self>, lane: &Lane) {
        let (route, changes) = match self.route_of(lane, false).await {
            Ok(found) => found,
            Err(NoRoute::Unavailable) => return,
            Err(_) => {
                self.put_off((lane, false), WITHOUT_SERVER, None).await;
                return self.put_off((lane, true), WITHOUT_SERVER, None).await;
            }
        };
        self.serve_through(lane, (route, changes), false).await;
        match self.store.any_fallen_back(lane).await {
            Ok(false) => {}
            Ok(true) => {
                if let Ok(found) = self.route_of(lane, true).await {
                    self.serve_through(lane, found, true).await;
                }
            }
            Err(error) => drop(unavailable(error)),
        }
    }

    async fn serve_through(self: &Arc<Self>, lane: &Lane, (route, changes): (Route, u64), fallback: bool) {
        let (id, queue) = (route.id(), (lane, fallback));
        // One account's servers may not take every worker.
        let most = match route.via {
            Via::Profile => route.connections.min(self.most_of_one()),
            Via::Relay | Via::Fallback => route.connections,
        };
        let held = route.via == Via::Profile && route.profile().is_some_and(|row| row.health.is_held());
        if self.routes.is_full(&id, if held { 1 } else { most }) {
            return;
        }
        if let Some((left, cause)) = self.routes.blocked(&id) {
            return self.put_off(queue, signed(left), cause).await;
        }
        let left_today = self.left_today(&route).await;
        if left_today == 0 {
            return self.put_off(queue, WITHOUT_QUOTA, Some(Cause::QuotaExceeded)).await;
        }
        // The last ones of a day leave one worker after the other, so that they are counted.
        let few = left_today <= u64::from(BATCH * most);
        if few && self.routes.active(&id) > 0 {
            return;
        }
        if held && !self.may_try_a_message(&route, changes, queue).await {
            return;
        }
        // One message tells whether the server has come round.
        let batch = if held { 1 } else { BATCH.min(u32::try_from(left_today).unwrap_or(BATCH)) };
        loop {
            let Ok(permit) = self.workers.clone().try_acquire_owned() else { return };
            let Some(place) = self.routes.enter(&id, most) else { return };
            let taken = self.start_worker(queue, (&route, changes), batch, (permit, place)).await;
            if held || few || taken < batch {
                return;
            }
        }
    }

    /// Workers that one account's server may have at most.
    fn most_of_one(&self) -> u32 {
        u32::try_from(self.options.workers / 8).unwrap_or(u32::MAX).max(1)
    }

    /// Claims messages and starts a worker on them; how many.
    async fn start_worker(
        self: &Arc<Self>,
        queue: (&Lane, bool),
        (route, changes): (&Route, u64),
        batch: u32,
        (permit, place): (OwnedSemaphorePermit, Place),
    ) -> u32 {
        let now = self.now();
        let until = now + signed(self.options.lease);
        // A name for this claim alone: whoever claims a message later is somebody else, also in this process.
        let owner = uuid::Uuid::new_v4().to_string();
        let claimed = match self.store.claim(queue, &owner, now, until, batch).await {
            Ok(claimed) => claimed,
            Err(error) => {
                unavailable(error);
                return 0;
            }
        };
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        if count > 0 {
            *self.served.lock().unwrap_or_else(PoisonError::into_inner) = queue.0.key();
            let (outbox, route) = (self.clone(), route.clone());
            let at_work = AtWork::begin(self, owner);
            self.tasks.spawn(async move {
                worker::work(&outbox, (route, changes), &at_work.owner, claimed, &place).await;
                drop((at_work, place, permit));
                outbox.news.notify_one();
            });
        }
        count
    }

    pub(super) async fn put_off(&self, queue: (&Lane, bool), wait: SignedDuration, cause: Option<Cause>) {
        let now = self.now();
        if let Err(error) = self.store.hold(queue, now, now + wait, cause).await {
            unavailable(error);
        }
    }

    /// How many messages may still leave within the 24 hours.
    async fn left_today(&self, route: &Route) -> u64 {
        let (Some(per_day), Some(row)) = (route.per_day, route.profile()) else { return u64::MAX };
        match self.store.sent_since(row.id, self.now() - SignedDuration::from_hours(24)).await {
            Ok(sent) => u64::from(per_day).saturating_sub(sent),
            Err(error) => {
                unavailable(error);
                0
            }
        }
    }

    /// The wait after so many tries.
    pub(super) fn wait(&self, tries: u32) -> Duration {
        wait(tries, self.options.first_retry, self.options.longest_retry, rand::random())
    }
}

/// A batch that is being worked on: its leases are prolonged until this is dropped, in whatever way.
struct AtWork {
    outbox: Arc<Outbox>,
    owner: String,
}

impl AtWork {
    fn begin(outbox: &Arc<Outbox>, owner: String) -> Self {
        outbox.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.clone());
        Self { outbox: outbox.clone(), owner }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.outbox.owners.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.owner);
    }
}

pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
