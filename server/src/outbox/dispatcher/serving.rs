//! Server side. The input of a worker.

use crate::{outbox::route::Route, store::outbox::Queue};

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
