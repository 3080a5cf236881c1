//! Server side. What has fallen due, found by destination.

use std::{sync::PoisonError, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use super::signed;
use crate::outbox::{
    Outbox,
    destinations::key::{none_key, parse_key, relay_key},
    ready::Ready,
    worker::TRUSTED,
};

/// Destinations looked at with one question.
const SOME: u32 = 256;
/// Lanes whose turns are counted again with one statement, and the pause after it, for others' writes.
const REALIGNED: u32 = 500;
const PAUSE: Duration = Duration::from_millis(2);
/// Lanes of one destination looked at with one question.
const LANES: u32 = 8;
/// While so many lanes are ready, no more are looked for.
pub(super) const ENOUGH: usize = 512;

impl Outbox {
    /// What an operator changed while we were away: relays are tried afresh.
    pub(super) async fn resume(&self) {
        let relays: Vec<String> =
            self.portals.iter().flat_map(|portal| [relay_key(&portal.id), none_key(&portal.id)]).collect();
        if let Err(error) = self.store.ease(&relays).await {
            error.log();
        }
    }

    /// After the clock was set back: in small portions, beside whoever sends.
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

    /// Puts what is due among what is ready, from where it stopped last time; whether there is more.
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
                // Another replica may have found out that it works.
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

    /// Whether a lane of this destination could be served, as far as can be told without a question.
    fn has_room(&self, destination: &str) -> bool {
        let Some((id, party)) = parse_key(destination) else { return false };
        !self.ready(|ready| ready.is_skipped(destination))
            && self.destinations.blocked(&id).is_none()
            && !self.destinations.is_at_its_most(&id)
            && self.admission.has_room(&party)
    }
}
