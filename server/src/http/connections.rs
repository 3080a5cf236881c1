//! Server side. Who is connected, for how long, and who has to go when there are too many.
//!
//! A client that opens connections and says nothing costs a descriptor each. So every connection has a phase, and each
//! phase of the client's own making a limit in time: headers, a body (see `patient_body`), an idle connection, an answer
//! that is not read. Where there is no room for a new connection, the one that has waited longest for its client makes
//! room; one that we are answering stays.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

/// How much is taken from whoever connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once, in all.
    pub connections: usize,
    /// Connections at once of one address.
    pub per_address: usize,
    /// Proxies, whose connections are those of many: they have no limit of their own.
    pub trusted_proxies: Vec<IpNet>,
    /// How long the headers of a request may take.
    pub headers: Duration,
    /// How long a body may keep us waiting, in all.
    pub body: Duration,
    /// How long a connection is kept for the next request. Longer than a proxy's, which would else send into a connection
    /// that is being closed.
    pub idle: Duration,
    /// How long a client may not read its answer.
    pub unread: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            per_address: 1_000,
            trusted_proxies: Vec::new(),
            headers: Duration::from_secs(10),
            body: Duration::from_secs(120),
            idle: Duration::from_secs(75),
            unread: Duration::from_secs(30),
        }
    }
}

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// For the rest of the headers.
    Headers = 0,
    /// For the next request.
    Idle = 1,
    /// For the rest of a body.
    Body = 2,
    /// For us.
    Answering = 3,
}

/// One connection. Times are milliseconds since the registry was made.
#[derive(Debug)]
pub struct Connection {
    address: IpAddr,
    phase: AtomicU8,
    since: AtomicU64,
    /// Since when the client does not read; 0 when it does.
    unread_since: AtomicU64,
    epoch: Instant,
    /// Closes it.
    pub closed: CancellationToken,
}

impl Connection {
    fn now(&self) -> u64 {
        // 0 has a meaning of its own.
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

    /// Bytes came.
    pub fn read(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Headers);
        }
    }

    /// The headers of a request are here, and perhaps all of it.
    pub fn requested(&self, complete: bool) {
        self.enter(if complete { Phase::Answering } else { Phase::Body });
    }

    /// The rest of the request is our business: all of it is here, or its sender is known.
    pub fn vouch(&self) {
        self.enter(Phase::Answering);
    }

    /// The answer is on its way.
    pub fn answered(&self) {
        self.enter(Phase::Idle);
    }

    /// Whether the client took what was written.
    pub fn wrote(&self, taken: bool) {
        if taken {
            self.unread_since.store(0, Ordering::Relaxed);
        } else {
            let _ = self.unread_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether its client has kept us waiting for too long.
    fn is_late(&self, limits: &ConnectionLimits) -> bool {
        let now = self.now();
        let waited = |since: u64| Duration::from_millis(now.saturating_sub(since));
        let since = self.since.load(Ordering::Relaxed);
        let unread = self.unread_since.load(Ordering::Relaxed);
        (unread != 0 && waited(unread) > limits.unread)
            || match self.phase() {
                Phase::Headers => waited(since) > limits.headers,
                Phase::Idle => waited(since) > limits.idle,
                // The body itself gives up sooner, and is answered.
                Phase::Body => waited(since) > limits.body + limits.headers,
                Phase::Answering => false,
            }
    }

    /// Who goes first: those without headers, then those that are idle, then those without a body; the longest wait first.
    fn dispensable(&self) -> Option<(u8, u64)> {
        let phase = self.phase();
        (phase != Phase::Answering).then(|| (phase as u8, self.since.load(Ordering::Relaxed)))
    }
}

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    epoch: Instant,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    all: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<IpAddr, usize>,
}

impl Open {
    fn remove(&mut self, id: u64) {
        let Some(gone) = self.all.remove(&id) else { return };
        if let Some(count) = self.by_address.get_mut(&gone.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&gone.address);
            }
        }
    }

    /// Closes the one that is needed least; whether there was one.
    fn make_room(&mut self, among: impl Fn(&Connection) -> bool) -> bool {
        let least = self
            .all
            .iter()
            .filter(|(_, connection)| among(connection))
            .filter_map(|(id, connection)| Some((connection.dispensable()?, *id)))
            .min();
        let Some((_, id)) = least else { return false };
        if let Some(connection) = self.all.get(&id) {
            connection.closed.cancel();
        }
        self.remove(id);
        true
    }
}

/// A connection's entry, until it is dropped.
pub struct Entry {
    id: u64,
    connections: Arc<Connections>,
    pub connection: Arc<Connection>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.lock().remove(self.id);
    }
}

impl Connections {
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, epoch: Instant::now(), open: Mutex::default() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in; `None` when there is no room, and nobody who could make some.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Entry> {
        // An IPv4 client of a socket that takes both is the same client.
        let address = address.to_canonical();
        let mut open = self.lock();
        let is_trusted = self.limits.trusted_proxies.iter().any(|network| network.contains(&address));
        let of_address = open.by_address.get(&address).copied().unwrap_or_default();
        if !is_trusted && of_address >= self.limits.per_address && !open.make_room(|one| one.address == address) {
            return None;
        }
        if open.all.len() >= self.limits.connections && !open.make_room(|_| true) {
            return None;
        }
        let connection = Arc::new(Connection {
            address,
            phase: AtomicU8::new(Phase::Headers as u8),
            since: AtomicU64::new(0),
            unread_since: AtomicU64::new(0),
            epoch: self.epoch,
            closed: CancellationToken::new(),
        });
        connection.enter(Phase::Headers);
        let id = open.next;
        open.next += 1;
        open.all.insert(id, connection.clone());
        *open.by_address.entry(address).or_default() += 1;
        Some(Entry { id, connections: self.clone(), connection })
    }

    /// Closes whichever is needed least: the process has no descriptor left.
    pub fn make_room(&self) {
        self.lock().make_room(|_| true);
    }

    /// Closes those whose clients are late.
    pub fn sweep(&self) {
        let open = self.lock();
        for connection in open.all.values().filter(|connection| connection.is_late(&self.limits)) {
            connection.closed.cancel();
        }
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.lock().all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn limits(connections: usize, per_address: usize) -> ConnectionLimits {
        ConnectionLimits { connections, per_address, ..ConnectionLimits::default() }
    }

    #[test]
    fn whoever_waits_for_its_client_makes_room_and_whoever_waits_for_us_stays() {
        let connections = Connections::new(limits(3, 3));
        let [answering, body, silent] = [0, 1, 2].map(|_| connections.enter(CLIENT).unwrap());
        answering.connection.requested(true);
        body.connection.requested(false);
        let fourth = connections.enter(CLIENT).unwrap();
        assert!(silent.connection.closed.is_cancelled(), "it has no headers yet");
        fourth.connection.requested(true);
        let fifth = connections.enter(CLIENT).unwrap();
        assert!(body.connection.closed.is_cancelled(), "nothing else is left");
        fifth.connection.requested(true);
        assert!(connections.enter(OTHER).is_none(), "all three are being answered");
        assert!(!answering.connection.closed.is_cancelled());
        drop(answering);
        assert!(connections.enter(OTHER).is_some());
        drop((body, silent));
        assert_eq!(connections.count(), 2, "an entry that was closed is not counted off twice");
    }

    #[test]
    fn one_address_takes_no_place_from_another_and_a_proxy_is_many() {
        let connections = Connections::new(limits(4, 2));
        let theirs = connections.enter(OTHER).unwrap();
        let ours: Vec<_> = (0..9).filter_map(|_| connections.enter(CLIENT)).collect();
        assert_eq!((connections.count(), theirs.connection.closed.is_cancelled()), (3, false));
        ours[7].connection.requested(true);
        ours[8].connection.requested(true);
        assert!(connections.enter(CLIENT).is_none());
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert!(connections.enter(mapped).is_none(), "the same client");
        let trusting = Connections::new(ConnectionLimits {
            trusted_proxies: vec!["192.0.2.0/24".parse().unwrap()],
            ..limits(4, 1)
        });
        let many: Vec<_> = (0..4).filter_map(|_| trusting.enter(CLIENT)).collect();
        assert_eq!(many.iter().filter(|one| one.connection.closed.is_cancelled()).count(), 0);
    }

    #[test]
    fn those_that_are_late_are_closed() {
        let quick = ConnectionLimits {
            headers: Duration::ZERO,
            idle: Duration::ZERO,
            body: Duration::ZERO,
            unread: Duration::ZERO,
            ..ConnectionLimits::default()
        };
        let connections = Connections::new(quick);
        let entries: Vec<_> = (0..5).map(|_| connections.enter(CLIENT).unwrap()).collect();
        entries[1].connection.answered();
        entries[2].connection.requested(false);
        entries[3].connection.requested(true);
        entries[4].connection.requested(true);
        entries[4].connection.wrote(false);
        while connections.epoch.elapsed() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        connections.sweep();
        let closed = entries.iter().map(|entry| entry.connection.closed.is_cancelled()).collect::<Vec<_>>();
        assert_eq!(closed, [true, true, true, false, true]);
    }
}
