//! Server side. What a conversation holds while it runs.

use mail::smtp::Connection;

use super::{
    destinations::{ConnectionSlot, Destinations},
    route::Route,
};
use crate::{admission::Slot, replicas::Place};

/// The slots and places a conversation holds.
pub(super) struct Places {
    /// One of all conversations.
    pub slot: Slot,
    /// One of the server's connections.
    pub connection: ConnectionSlot,
    /// One of the account's conversations, over all replicas.
    #[expect(dead_code, reason = "held, not read")]
    pub account: Place,
}

/// A connection with a server, or the place for one, counted over all replicas.
pub(super) struct Line {
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
