//! Server side. Finds due lanes by destination.

use std::{sync::PoisonError, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    outbox::{
        Outbox,
        destinations::key::{none_key, parse_key, relay_key},
        ready::Ready,
        worker::TRUSTED,
    },
    time::signed,
};

/// Destinations read with one query.
const SOME: u32 = 256;
/// Lanes realigned with one statement, and the pause after it in which other writes get through.
const REALIGNED: u32 = 500;
const PAUSE: Duration = Duration::from_millis(2);
/// Lanes of one destination read with one query.
const LANES: u32 = 8;
/// No more lanes are looked for while this many are ready.
pub(super) const ENOUGH: usize = 512;

impl Outbox {
    /// Retries the portals' relays at once: the operator may have changed them while no process served.
    pub(super) async fn resume(&self) {
        let relays: Vec<String> =
            self.portals.iter().flat_map(|portal| [relay_key(&portal.id), none_key(&portal.id)]).collect();
        if let Err(error) = self.store.ease(&relays).await {
            error.log();
        }
    }

    /// Realigns lanes after the clock was set back: in small batches, so that sending goes on.
    pub(super) async fn realign(&self, now: Timestamp) {
        let latest = now + signed(self.options.longest_retry.mul_f64(1.2));
        let mut after = None;
        while !self.stop.is_cancelled() {
            match self.store.realign(now, latest, after, REALIGNED).await {
                Ok(Some(last)) => after = Some(last),
                Ok(None) => return,
                Err(error) => {
                    error.log();
                    return;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Adds due lanes to the ready ones, from where the last call stopped. Returns whether there is more.
    pub(super) async fn poll_due(&self) -> bool {
        self.route_cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| known.looked_up.elapsed() < TRUSTED);
        self.ready(Ready::tidy);
        let more = self.resolve_unknown().await;
        for _ in 0..4 {
            if self.stop.is_cancelled() || self.ready(|ready| ready.len()) >= ENOUGH {
                return more;
            }
            let (after, asked) = (self.ready(|ready| ready.cursor.clone()), Instant::now());
            let due = match self.store.due_destinations(self.now(), after.as_ref(), SOME).await {
                Ok(due) => due,
                Err(error) => {
                    error.log();
                    return false;
                }
            };
            let all = due.len() < SOME as usize;
            for due in due {
                // Another replica may have found that the server works.
                if self.replicas.is_shared()
                    && let Some((id, _)) = parse_key(&due.destination)
                {
                    self.destinations.unblock_before(&id, asked);
                }
                if self.has_room(&due.destination) {
                    self.add_due_lanes(&due.destination, LANES).await;
                }
                self.ready(|ready| ready.cursor = Some(due));
            }
            if all {
                self.ready(|ready| ready.cursor = None);
                return more;
            }
        }
        more
    }

    /// Whether a lane of this destination could be served, as far as memory tells, without a query.
    fn has_room(&self, destination: &str) -> bool {
        let Some((id, party)) = parse_key(destination) else { return false };
        !self.ready(|ready| ready.is_skipped(destination))
            && self.destinations.blocked(&id).is_none()
            && !self.destinations.is_at_its_most(&id)
            && self.admission.has_room(&party)
    }
}
