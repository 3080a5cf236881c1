//! Server side. Finds the servers of due lanes, and writes down which lane waits for which.

use std::{sync::PoisonError, time::Duration};

use app::diagnosis::cause::Cause;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::ENOUGH;
use crate::{
    outbox::{
        CachedRoute, Outbox,
        destinations::key::none_key,
        ready::Item,
        route::{FoundRoute, NoRoute, Route},
        worker::TRUSTED,
    },
    store::outbox::{Assignment, Queue, Rest},
};

/// Lanes whose servers are looked up in one pass: new messages wait meanwhile.
const UNKNOWN: u32 = 64;
/// Retry interval of a lane without a server, unless something changes.
const WITHOUT_SERVER: SignedDuration = SignedDuration::from_mins(30);

/// Pause before a server is tried again when this process holds all of its connections and is closing one.
const FAREWELL: Duration = Duration::from_millis(50);

impl Outbox {
    /// Whether a lane is kept waiting because workers run short.
    pub(in crate::outbox) fn somebody_waits(&self) -> bool {
        self.admission.is_crowded() && self.ready(|ready| ready.len()) > 0
    }

    /// Tries a server again after [`FAREWELL`].
    pub(super) async fn try_soon(&self, destination: String) {
        tokio::time::sleep(FAREWELL).await;
        self.conversation_ended(destination);
    }

    /// Adds the due lanes of a destination to the ready ones.
    pub(super) async fn add_due_lanes(&self, destination: &str, limit: u32) {
        let queues = match self.store.due_lanes(destination, self.now(), limit).await {
            Ok(queues) => queues,
            Err(error) => return drop(error.log()),
        };
        self.resolve_and_add_all(queues, destination).await;
    }

    /// Adds lanes, and writes with one statement which of them wait for another destination. Returns how many do.
    async fn resolve_and_add_all(&self, queues: Vec<Queue>, thought: &str) -> usize {
        let mut found = Vec::new();
        for queue in queues {
            if let Some(destination) = self.resolve_and_add(queue.clone(), thought).await {
                found.push(Assignment { queue, destination });
            }
        }
        if !found.is_empty()
            && let Err(error) = self.store.assign(&found).await
        {
            error.log();
            return 0;
        }
        found.len()
    }

    /// Looks up the servers of some lanes without a known one, and writes them with one statement. Returns whether
    /// there are more.
    pub(super) async fn resolve_unknown(&self) -> bool {
        if self.ready(|ready| ready.len()) >= ENOUGH {
            return false;
        }
        let queues = match self.store.due_lanes("", self.now(), UNKNOWN).await {
            Ok(queues) => queues,
            Err(error) => {
                error.log();
                return false;
            }
        };
        let all = queues.len() < UNKNOWN as usize;
        self.resolve_and_add_all(queues, "").await > 0 && !all
    }

    /// Looks up a lane's server, and adds the lane to the ready ones unless the server is in back-off. Returns the
    /// server if it is not the expected one.
    async fn resolve_and_add(&self, queue: Queue, thought: &str) -> Option<String> {
        match self.route_of(&queue).await {
            Ok(FoundRoute { route, .. }) => {
                let destination = route.destination_key();
                if self.destinations.blocked(&route.id()).is_none() {
                    self.add(queue, &route);
                }
                (destination != thought).then_some(destination)
            }
            Err(NoRoute::Unavailable) => None,
            Err(no_route) => self.without_server(&queue, no_route).await,
        }
    }

    /// Backs off a lane that has no server. If the portal has no relay, that holds for all of its lanes.
    pub(super) async fn without_server(&self, queue: &Queue, no_route: NoRoute) -> Option<String> {
        if no_route == NoRoute::NoRelay {
            let none = none_key(&queue.lane.account.portal);
            let until = self.now() + WITHOUT_SERVER;
            let cause = Some(Cause::NoServer);
            let rests =
                self.store.rest_destination(&none, &|rest| Rest { until: rest.until.max(until), cause, ..rest }).await;
            if let Err(error) = rests {
                error.log();
            }
            return Some(none);
        }
        let cause = if no_route == NoRoute::Damaged { Cause::Unknown } else { Cause::NoServer };
        self.rest_lane(queue, WITHOUT_SERVER, Some(cause)).await;
        None
    }

    pub(in crate::outbox) fn add(&self, queue: Queue, route: &Route) {
        let claimant = route.claimant();
        let pace = self.admission.pace(&claimant.party);
        self.ready(|ready| ready.add(Item { queue, party: claimant.party }, pace));
    }

    /// The server of a lane, from a short-lived cache: many lanes wait for few servers.
    pub(in crate::outbox) async fn route_of(&self, queue: &Queue) -> Result<FoundRoute, NoRoute> {
        let changes = self.changes.now(&queue.lane.account);
        {
            let known = self.route_cache.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(CachedRoute { looked_up, found }) = known.get(queue)
                && looked_up.elapsed() < TRUSTED
                && found.changes == changes
            {
                return Ok(found.clone());
            }
        }
        let route = self.route(&queue.lane, queue.fallback).await?;
        self.cache_route(queue.clone(), changes, &route);
        Ok(FoundRoute { route, changes })
    }

    fn cache_route(&self, queue: Queue, changes: u64, route: &Route) {
        let mut known = self.route_cache.lock().unwrap_or_else(PoisonError::into_inner);
        let found = FoundRoute { route: route.clone(), changes };
        known.insert(queue, CachedRoute { looked_up: Instant::now(), found });
    }
}
