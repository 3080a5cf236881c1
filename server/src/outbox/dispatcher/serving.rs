//! Server side. What a worker is given.

use crate::{
    admission::Slot,
    outbox::{destinations::ConnectionSlot, route::Route},
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
}

/// What a conversation occupies.
pub(in crate::outbox) struct Places {
    /// Among all conversations.
    pub slot: Slot,
    /// At its server.
    pub connection: ConnectionSlot,
}
