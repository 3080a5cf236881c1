//! Server side. The input of a worker.

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

/// The work of one worker.
pub(super) struct Serving {
    pub queue: Queue,
    pub route: Route,
    /// The account's change count when the route was looked up.
    pub changes: u64,
    /// Most messages to claim.
    pub limit: u32,
    /// If there are more messages, another worker serves the lane as well.
    pub more: bool,
    /// Most connections with the server, over all replicas.
    pub connections: u32,
    /// No other conversation with the server runs at the same time.
    pub alone: bool,
}

/// The slots and places a conversation holds.
pub(in crate::outbox) struct Places {
    /// One of all conversations.
    pub slot: Slot,
    /// One of the server's connections.
    pub connection: ConnectionSlot,
    /// One of the account's conversations, over all replicas.
    #[expect(dead_code, reason = "held, not read")]
    pub account: Place,
}

/// A connection with a server, or the place for one, counted over all replicas.
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
