//! Server side. Places at servers, freed when they are dropped.

use super::{DestinationId, Destinations};

/// The leave to have a large message in memory; dropping it ends it.
pub struct LargePermit {
    pub(super) destinations: Destinations,
    pub(super) id: DestinationId,
}

impl Drop for LargePermit {
    fn drop(&mut self) {
        self.destinations.with(&self.id, |state| state.large = false);
    }
}

/// A place at a server; dropping it frees it.
pub struct ConnectionSlot {
    pub(super) destinations: Destinations,
    pub id: DestinationId,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.destinations.with(&self.id, |state| state.active = state.active.saturating_sub(1));
    }
}
