//! Server side. Assigns lanes with due messages to workers.
//!
//! A new message names its lane, which is served at once ([`Ready`]). All other due lanes are found by destination:
//! every [`LOOK_EVERY`], and when a conversation with the destination ends. Lanes in back-off are not due, so they cost
//! nothing, however many there are.
//!
//! Lanes are served in the order in which they became due. Messages left over after a turn become due at that time, so
//! a lane with constant traffic does not get ahead of the others.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use app::diagnosis::cause::Cause;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    Outbox,
    conversation::{Line, Places},
    judge::wait,
    ready::Ready,
    route::{FoundRoute, NoRoute, Route},
    shared::{TAKEN, connections, taken_by_others},
    worker::{self, Work},
};
use crate::{
    admission::{Full, Pace},
    replicas::Notice,
    store::outbox::{Assignment, Claim, Claimed, Passage, Queue, Via},
    time::signed,
};

mod due;
mod lanes;
mod lease;
mod rests;
mod serving;

use due::ENOUGH;
use lease::LeaseGuard;
use serving::Serving;

/// Messages a worker claims at once.
const BATCH: u32 = 32;
/// The same while workers run short: a turn that ends releases the rest.
const FEW: u32 = 4;
/// Lanes added when a conversation has ended: one of them takes its place.
const NEXT: u32 = 2;
/// Poll interval without a notification: a back-off may end, a retry fall due, another process enqueue a message.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The same while there is more to find.
const SOON: Duration = Duration::from_millis(20);
/// Back-off of a lane whose daily limit is used up.
const WITHOUT_QUOTA: SignedDuration = SignedDuration::from_mins(10);
/// How often other replicas are notified that this one has more ready lanes than places.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// Back-off after a lane could not be served.
const SKIPPED: Duration = Duration::from_secs(1);
/// The clock counts as set back when it lost more than this.
const BACK: SignedDuration = SignedDuration::from_secs(2);

/// Runs in the background: there may be very many lanes.
fn realign(outbox: &Arc<Outbox>, now: Timestamp) {
    let outbox = outbox.clone();
    outbox.clone().tasks.spawn(async move { outbox.realign(now).await });
}

pub(super) async fn run(outbox: Arc<Outbox>) {
    // Other replicas kept serving: skip the catch-up.
    if outbox.replicas.is_only().await {
        outbox.resume().await;
        realign(&outbox, outbox.now());
    }
    let mut told: Option<Instant> = None;
    let (mut looked, mut at) = (Instant::now(), outbox.now());
    loop {
        let pause = if outbox.poll_due().await { SOON } else { LOOK_EVERY };
        // Upper bound: something may fall due without a notification.
        let until = Instant::now() + pause;
        loop {
            outbox.serve_ready().await;
            if outbox.ready(|ready| ready.len()) > 0 && told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                told = Some(Instant::now());
                outbox.replicas.tell(Notice::Work);
            }
            tokio::select! {
                () = outbox.stop.cancelled() => return,
                () = outbox.work_available.notified() => {}
                () = outbox.admission.freed() => {}
                () = tokio::time::sleep_until(until) => {}
            }
            if outbox.look_soon.swap(false, Ordering::Relaxed) || Instant::now() >= until {
                break;
            }
        }
        let now = outbox.now();
        let passed = SignedDuration::try_from(looked.elapsed()).unwrap_or_default();
        if at.duration_until(now) < passed - BACK {
            realign(&outbox, now);
        }
        (looked, at) = (Instant::now(), now);
    }
}

impl Outbox {
    /// Serves ready lanes while there are slots: quick parties first, since slots are reserved for them.
    async fn serve_ready(self: &Arc<Self>) {
        for destination in self.ready(Ready::take_ended) {
            if destination.is_empty() {
                self.resolve_unknown().await;
            } else {
                self.add_due_lanes(&destination, NEXT).await;
            }
        }
        for pace in [Pace::Quick, Pace::New, Pace::Slow] {
            while !self.stop.is_cancelled()
                && let Some(item) = self.ready(|ready| ready.take(pace, |party| self.admission.used(party)))
            {
                if self.serve(&item.queue).await != Err(Full::All) {
                    continue;
                }
                let now = self.admission.pace(&item.party);
                self.ready(|ready| ready.put_back(item, now));
                if now == pace {
                    break;
                }
            }
        }
    }

    /// Starts a worker for a lane's due messages. An error says which slots are full.
    async fn serve(self: &Arc<Self>, queue: &Queue) -> Result<(), Full> {
        let FoundRoute { route, changes } = match self.route_of(queue).await {
            Ok(found) => found,
            Err(NoRoute::Unavailable) => return Ok(()),
            Err(no_route) => {
                if let Some(none) = self.without_server(queue, no_route).await
                    && let Err(error) =
                        self.store.assign(&[Assignment { queue: queue.clone(), destination: none }]).await
                {
                    error.log();
                }
                return Ok(());
            }
        };
        let (id, destination) = (route.id(), route.destination_key());
        if !self.replicas.is_current() || self.ready(|ready| ready.is_skipped(&taken_by_others(&destination))) {
            return Ok(());
        }
        let held = route.via == Via::Profile && route.profile().is_some_and(|row| row.health.is_held());
        let most = if held { 1 } else { route.connections };
        if self.destinations.is_full(&id, most)
            || self.destinations.blocked(&id).is_some()
            || self.ready(|ready| ready.is_skipped(&queue.key()))
        {
            return Ok(());
        }
        let left_today = self.left_today(&route).await;
        if left_today == 0 {
            self.rest_lane(queue, WITHOUT_QUOTA, Some(Cause::QuotaExceeded)).await;
            return Ok(());
        }
        // Near the daily limit, use one worker so that the count stays exact.
        let few = left_today <= u64::from(BATCH * most);
        if few && self.destinations.active(&id) > 0 {
            return Ok(());
        }
        if held && !self.may_probe_with_message(&route, changes).await {
            return Ok(());
        }
        // A held profile is probed with one message.
        let most_at_once = if self.admission.is_crowded() { FEW } else { BATCH };
        let batch = if held { 1 } else { most_at_once.min(u32::try_from(left_today).unwrap_or(most_at_once)) };
        let Some(place) = self.destinations.enter(&id, most) else { return Ok(()) };
        let slot = self.admission.enter(&route.claimant()).inspect_err(|full| {
            if *full != Full::All {
                self.ready(|ready| ready.skip(route.destination_key(), SKIPPED));
            }
        })?;
        let alone = held || few;
        let serving =
            Serving { queue: queue.clone(), route, changes, limit: batch, more: !alone, connections: most, alone };
        let outbox = self.clone();
        self.tasks.spawn(async move {
            // The slot is dropped, and so freed, when the replicas have no place left.
            let party = serving.route.claimant().party;
            let (account, line) = tokio::join!(outbox.conversation_place(&party), outbox.line(&serving));
            let Some(account) = account else {
                outbox.ready(|ready| ready.skip(serving.queue.key(), TAKEN));
                if let Some(line) = line {
                    line.keep(&outbox.destinations, &serving.route);
                }
                return;
            };
            let Some(line) = line else {
                // This process is still closing one of its own connections.
                if outbox.replicas.in_use(&connections(&destination)) > 0 {
                    drop((slot, place, account));
                    return outbox.try_soon(destination).await;
                }
                outbox.ready(|ready| ready.skip(taken_by_others(&destination), TAKEN));
                outbox.replicas.tell(Notice::Work);
                return;
            };
            outbox.claim_and_work(serving, Places { slot, connection: place, account }, line).await;
        });
        Ok(())
    }

    /// A free connection, or the place for a new one.
    async fn line(&self, serving: &Serving) -> Option<Line> {
        let Serving { route, alone, connections, .. } = serving;
        let (id, destination) = (route.id(), route.destination_key());
        if !self.replicas.is_shared() || !alone {
            if let Some((connection, place)) = self.destinations.take(&id, &route.fingerprint()) {
                return Some(Line { connection: Some(connection), place });
            }
            self.destinations.wait_for_room(&id, *connections).await;
            let place = self.connection_place(&destination, *connections).await?;
            // With more than one connection, other conversations may have used up the day's limit meanwhile.
            let fits = !self.replicas.is_shared()
                || route.per_day.is_none()
                || self.left_today(route).await > u64::from(BATCH * connections);
            return fits.then_some(Line { connection: None, place });
        }
        self.destinations.close(&id);
        self.destinations.wait_for_room(&id, 1).await;
        let place = self.connection_place(&destination, 1).await?;
        // Counted again: the messages that others were sending are on disk now.
        (self.left_today(route).await >= u64::from(serving.limit)).then_some(Line { connection: None, place })
    }

    /// Claims messages of a lane and sends them.
    async fn claim_and_work(self: Arc<Self>, serving: Serving, places: Places, line: Line) {
        let Serving { queue, route, changes, limit, more, .. } = serving;
        let (now, destination) = (self.now(), route.destination_key());
        let lease = LeaseGuard::begin(&self);
        let claim = Claim {
            queue: queue.clone(),
            destination: Some(destination.clone()),
            lease_token: lease.lease_token.clone(),
            now,
            until: now + signed(self.options.lease),
            limit,
        };
        let recoveries = self.destinations.recoveries(&route.id());
        let claimed = self.writes.claim(claim).await;
        let Ok(Claimed { messages, passage, rest }) = claimed else {
            return line.keep(&self.destinations, &route);
        };
        if passage == Passage::Closed {
            self.destinations.block(&route.id(), recoveries, left(rest.until, now), rest.cause);
        }
        if messages.is_empty() {
            return line.keep(&self.destinations, &route);
        }
        if more && passage == Passage::Free && messages.len() >= limit as usize {
            self.add(queue, &route);
            self.work_available.notify_one();
        }
        let work = Work { route, changes, probe: passage == Passage::Probe, lease_token: &lease.lease_token };
        worker::work(&self, work, messages, (&places, line)).await;
        drop(places);
        self.conversation_ended(destination);
    }

    /// A conversation has ended: its server has room for the next one.
    pub(super) fn conversation_ended(&self, destination: String) {
        self.ready(|ready| ready.ended(destination));
        self.work_available.notify_one();
    }

    /// How many messages may still be sent within the 24 hours.
    async fn left_today(&self, route: &Route) -> u64 {
        let (Some(per_day), Some(row)) = (route.per_day, route.profile()) else { return u64::MAX };
        match self.store.sent_since(row.id, self.now() - SignedDuration::from_hours(24)).await {
            Ok(sent) => u64::from(per_day).saturating_sub(sent),
            Err(error) => {
                error.log();
                0
            }
        }
    }

    /// The back-off after this many tries.
    pub(super) fn wait(&self, tries: u32) -> Duration {
        wait(tries, self.options.first_retry, self.options.longest_retry, rand::random())
    }
}

/// The time left until then; zero when it has passed.
fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_until(until)).unwrap_or_default()
}
