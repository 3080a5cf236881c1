//! Server side. Finds the servers of lanes that are due, and writes down which lane waits for which.

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

/// Lanes whose servers are looked up at once: what was just given waits meanwhile.
const UNKNOWN: u32 = 64;
/// A lane without a server is looked at again after so long, unless something is changed.
const WITHOUT_SERVER: SignedDuration = SignedDuration::from_mins(30);

/// Before a server is tried again whose connections are all ours, one of which is being closed.
const FAREWELL: Duration = Duration::from_millis(50);

impl Outbox {
    /// Whether a lane is kept waiting because workers run short.
    pub(in crate::outbox) fn somebody_waits(&self) -> bool {
        self.admission.is_crowded() && self.ready(|ready| ready.len()) > 0
    }

    /// Tries a server again after a moment.
    pub(super) async fn try_soon(&self, destination: String) {
        tokio::time::sleep(FAREWELL).await;
        self.conversation_ended(destination);
    }

    /// Puts the lanes of a destination that are due among what is ready.
    pub(super) async fn add_due_lanes(&self, destination: &str, limit: u32) {
        let queues = match self.store.due_lanes(destination, self.now(), limit).await {
            Ok(queues) => queues,
            Err(error) => return drop(error.log()),
        };
        self.resolve_and_add_all(queues, destination).await;
    }

    /// How many turned out to be behind other destinations; that is written down with one write.
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

    /// Lanes whose servers are not known: some are looked up, and written down with one write; whether there are more.
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

    /// Looks up a lane's server, and puts the lane among what is ready, unless its server rests; the server, where it is not
    /// the one that was thought.
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

    /// A lane that has no server. Where the portal has none, that is the same for all of its lanes.
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

    /// The server of a lane, as it was a moment ago: many lanes wait for few servers.
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
