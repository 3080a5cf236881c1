//! Server side. Room for a large message: in memory, and at its server.

use crate::{
    outbox::{
        Outbox,
        destinations::LargePermit,
        memory::{Memory, Room},
        route::Route,
    },
    store::outbox::StoredMessage,
};

/// Room for a message.
pub(super) enum Space {
    /// Small messages always have room.
    Small,
    /// Room in memory, and the server's permit for one large message at a time.
    Large { memory: Room, _permit: LargePermit },
}

/// `None`: there is no room at the moment.
pub(super) fn room_for(outbox: &Outbox, message: &StoredMessage, route: &Route) -> Option<Space> {
    if !Memory::counts(message.size) {
        return Some(Space::Small);
    }
    let (permit, party) = (outbox.destinations.acquire_large(&route.id())?, route.claimant().party);
    let memory = outbox.memory.enter(&party, outbox.admission.pace(&party), message.size)?;
    Some(Space::Large { memory, _permit: permit })
}
