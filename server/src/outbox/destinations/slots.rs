//! Server side. Slots at servers, freed on drop.

use super::{DestinationId, Destinations};

/// The permit to hold one large message of a server in memory; freed on drop.
pub struct LargePermit {
    pub(super) destinations: Destinations,
    pub(super) id: DestinationId,
}

impl Drop for LargePermit {
    fn drop(&mut self) {
        self.destinations.with(&self.id, |state| state.large = false);
    }
}

/// A connection slot at a server; freed on drop.
pub struct ConnectionSlot {
    pub(super) destinations: Destinations,
    pub id: DestinationId,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.destinations.with(&self.id, |state| state.active = state.active.saturating_sub(1));
    }
}
