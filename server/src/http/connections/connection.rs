//! Server side. The state of one connection: what it is waiting for, and since when.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::limits::ConnectionLimits;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// The client: the rest of the headers.
    Headers = 0,
    /// The client: the next request.
    Idle = 1,
    /// The client: the rest of a body.
    Body = 2,
    /// The server: the response.
    Answering = 3,
}

/// One connection. Times are milliseconds since the registry was made.
#[derive(Debug)]
pub struct Connection {
    phase: AtomicU8,
    since: AtomicU64,
    /// Since when the client has not read; 0 while it reads.
    unread_since: AtomicU64,
    epoch: Instant,
    /// Cancelled to close it.
    pub closed: CancellationToken,
}

impl Connection {
    /// One that was just accepted.
    pub(super) fn new(epoch: Instant) -> Self {
        let connection = Self {
            phase: AtomicU8::new(Phase::Headers as u8),
            since: AtomicU64::new(0),
            unread_since: AtomicU64::new(0),
            epoch,
            closed: CancellationToken::new(),
        };
        connection.enter(Phase::Headers);
        connection
    }

    fn now(&self) -> u64 {
        // 0 means that the client reads.
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Headers,
            1 => Phase::Idle,
            2 => Phase::Body,
            _ => Phase::Answering,
        }
    }

    fn enter(&self, phase: Phase) {
        self.since.store(self.now(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Bytes arrived.
    pub fn received(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Headers);
        }
    }

    /// The headers of a request arrived; `complete`: the whole request did.
    pub fn received_request(&self, complete: bool) {
        self.enter(if complete { Phase::Answering } else { Phase::Body });
    }

    /// The whole request arrived, or its sender is authenticated: it is no longer closed to make room.
    pub fn protect(&self) {
        self.enter(Phase::Answering);
    }

    /// The response was handed to the socket.
    pub fn responded(&self) {
        self.enter(Phase::Idle);
    }

    /// Whether the socket took the bytes.
    pub fn wrote(&self, taken: bool) {
        if taken {
            self.unread_since.store(0, Ordering::Relaxed);
        } else {
            let _ = self.unread_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether its client exceeds a time limit.
    pub(super) fn is_overdue(&self, limits: &ConnectionLimits) -> bool {
        let now = self.now();
        let waited = |since: u64| Duration::from_millis(now.saturating_sub(since));
        let since = self.since.load(Ordering::Relaxed);
        let unread = self.unread_since.load(Ordering::Relaxed);
        (unread != 0 && waited(unread) > limits.unread)
            || match self.phase() {
                Phase::Headers => waited(since) > limits.headers,
                Phase::Idle => waited(since) > limits.idle,
                // The deadline of the body is sooner, and gets a response.
                Phase::Body => waited(since) > limits.body + limits.headers,
                Phase::Answering => false,
            }
    }

    /// The order in which connections are closed to make room: those without headers, then idle ones, then those
    /// without a body; the longest wait first. `None`: never this one.
    pub(super) fn eviction_rank(&self) -> Option<(u8, u64)> {
        let phase = self.phase();
        (phase != Phase::Answering).then(|| (phase as u8, self.since.load(Ordering::Relaxed)))
    }
}
