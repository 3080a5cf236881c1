//! Server side. What a worker is given.

use mail::smtp::Connection;

use crate::{
    admission::Slot,
    outbox::{
        destinations::{ConnectionSlot, Destinations},
        route::Route,
    },
    replicas::Place,
    store::outbox::Queue,
};

/// What a worker is to do.
pub(super) struct Serving {
    pub queue: Queue,
    pub route: Route,
    /// The count of changes when the route was looked up.
    pub changes: u64,
    /// At most so many messages.
    pub limit: u32,
    /// While there are more messages, others serve the lane beside it.
    pub more: bool,
    /// At most so many connections with the server, over all replicas.
    pub connections: u32,
    /// The conversation is the only one with its server.
    pub alone: bool,
}

/// What a conversation occupies.
pub(in crate::outbox) struct Places {
    /// Among all conversations.
    pub slot: Slot,
    /// At its server.
    pub connection: ConnectionSlot,
    /// Among the conversations that its account has in all replicas.
    #[expect(dead_code, reason = "held, not read")]
    pub account: Place,
}

/// A connection with a server, or the place for one among those that all replicas may have.
pub(in crate::outbox) struct Line {
    pub connection: Option<Connection>,
    pub place: Place,
}

impl Line {
    /// Keeps the connection for the next message.
    pub fn keep(self, destinations: &Destinations, route: &Route) {
        if let Some(connection) = self.connection {
            destinations.park(&route.id(), route.fingerprint(), connection, self.place);
        }
    }
}
