//! Server side. Connections without a message: idle ones for the next message, and those being closed. A server counts
//! both.

use std::{sync::PoisonError, time::Duration};

use mail::smtp::{Connection, Parting};
use tokio::time::Instant;

use super::{DestinationId, Destinations};
use crate::replicas::Place;

/// Idle timeout of a connection.
const IDLE: Duration = Duration::from_secs(10);
/// Most messages on a connection: servers have limits of their own.
const MOST_MESSAGES: u32 = 100;

/// An idle connection, the fingerprint of the settings it was opened with, and its place among all replicas'
/// connections.
pub(super) struct Parked {
    fingerprint: [u8; 32],
    connection: Connection,
    place: Place,
}

impl Destinations {
    /// An idle connection that was opened with these settings, and its place. Connections with other settings are
    /// closed.
    pub fn take(&self, id: &DestinationId, fingerprint: &[u8; 32]) -> Option<(Connection, Place)> {
        let (fit, others) = self.with(id, |state| {
            let (mut fit, others): (Vec<_>, Vec<_>) =
                state.parked.drain(..).partition(|parked| parked.fingerprint == *fingerprint && parked.place.is_held());
            let taken = fit.pop();
            state.parked = fit;
            (taken, others)
        });
        self.close_all(id, others);
        fit.map(|Parked { connection, place, .. }| (connection, place))
    }

    /// Keeps a connection for the next message, or closes it after [`MOST_MESSAGES`].
    pub fn park(&self, id: &DestinationId, fingerprint: [u8; 32], connection: Connection, place: Place) {
        if connection.messages >= MOST_MESSAGES {
            self.part(id, connection.close(), place);
        } else {
            self.with(id, |state| state.parked.push(Parked { fingerprint, connection, place }));
        }
    }

    /// Closes the idle connections of a server.
    pub fn close(&self, id: &DestinationId) {
        let parked = self.with(id, |state| std::mem::take(&mut state.parked));
        self.close_all(id, parked);
    }

    /// Closes the connections of a server that were idle for longer.
    pub fn close_idle(&self, id: &DestinationId, longer_than: Duration) {
        let now = Instant::now();
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = states.get_mut(id) else { return };
        let (idle, kept): (Vec<_>, Vec<_>) =
            state.parked.drain(..).partition(|parked| now.duration_since(parked.connection.used_at) > longer_than);
        state.parked = kept;
        drop(states);
        self.close_all(id, idle);
    }

    /// Closes connections that were idle for long, or all of them, and forgets servers that are not in use any more.
    pub fn tidy(&self, everything: bool) {
        let now = Instant::now();
        let mut closing = Vec::new();
        self.states.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, state| {
            let (idle, kept): (Vec<_>, Vec<_>) = state
                .parked
                .drain(..)
                .partition(|parked| everything || now.duration_since(parked.connection.used_at) > IDLE);
            if !idle.is_empty() {
                closing.push((id.clone(), idle));
            }
            state.parked = kept;
            !state.is_idle(now)
        });
        for (id, idle) in closing {
            self.close_all(&id, idle);
        }
    }

    fn close_all(&self, id: &DestinationId, parked: Vec<Parked>) {
        for Parked { connection, place, .. } in parked {
            self.part(id, connection.close(), place);
        }
    }

    /// Counts a connection until it is closed, then frees its place.
    pub fn part(&self, id: &DestinationId, parting: Parting, place: Place) {
        self.with(id, |state| state.closing += 1);
        let (destinations, id) = (self.clone(), id.clone());
        tokio::spawn(async move {
            parting.ended().await;
            drop(place);
            destinations.with(&id, |state| state.closing -= 1);
            destinations.closed.notify_waiters();
        });
    }

    /// With a slot taken, waits until open connections, closing ones and this one are at most `most`.
    pub async fn wait_for_room(&self, id: &DestinationId, most: u32) {
        let mut closed = std::pin::pin!(self.closed.notified());
        loop {
            closed.as_mut().enable();
            if self.with(id, |state| state.closing == 0 || state.active + state.closing <= most) {
                return;
            }
            closed.as_mut().await;
            closed.set(self.closed.notified());
        }
    }
}
