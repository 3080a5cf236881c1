//! Server side. How many recipients each server takes in a transaction, where it has shown that: the next message is split
//! before it is sent, and not by a refusal (RFC 5321 §4.5.3.1.10). In memory, and forgotten after a while: a limit may
//! have been for a moment only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::destinations::DestinationId;

const KEPT: Duration = Duration::from_secs(60 * 60);
/// Servers that are remembered at once.
const MOST: usize = 10_000;

#[derive(Clone, Default)]
pub struct RecipientLimits(Arc<Mutex<HashMap<DestinationId, (usize, Instant)>>>);

impl RecipientLimits {
    /// The server took so many and no more.
    pub fn learn(&self, id: &DestinationId, most: usize) {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(id) {
            known.retain(|_, (_, at)| now.duration_since(*at) < KEPT);
            if known.len() >= MOST {
                return;
            }
        }
        known.insert(id.clone(), (most.max(1), now));
    }

    /// How many are named in one transaction; `None`: all of them.
    pub fn of(&self, id: &DestinationId) -> Option<usize> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).filter(|(_, at)| at.elapsed() < KEPT).map(|(most, _)| *most)
    }

    /// The server was changed.
    pub fn forget(&self, id: &DestinationId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_known_for_its_server_and_for_an_hour() {
        let limits = RecipientLimits::default();
        let relay = |portal: &str| DestinationId::Relay(portal.to_owned());
        limits.learn(&relay("a"), 3);
        assert_eq!((limits.of(&relay("a")), limits.of(&relay("b"))), (Some(3), None));
        tokio::time::advance(KEPT).await;
        assert_eq!(limits.of(&relay("a")), None);
        limits.learn(&relay("a"), 50);
        limits.forget(&relay("a"));
        assert_eq!(limits.of(&relay("a")), None);
    }
}
