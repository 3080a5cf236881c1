//! Server side. Who is connected, for how long, and who has to go when there are too many.
//!
//! A client that opens connections and says nothing costs a descriptor each. So every connection has a phase, and each
//! phase of the client's own making a limit in time: headers, a body (see `body`), an idle connection, an answer
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

use axum::http::HeaderMap;
use tokio_util::sync::CancellationToken;

pub mod body;
pub mod forwarded;
pub mod listener;

use forwarded::{Proxies, counted};

/// Limits on client connections.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Connections at once, in all.
    pub connections: usize,
    /// Connections at once of one address; behind a trusted proxy, requests at once.
    pub per_address: usize,
    /// Proxies, whose connections are those of many: they have no limit of their own, and their clients have.
    pub proxies: Proxies,
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
            proxies: Proxies::default(),
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
    all: HashMap<u64, Held>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Held {
    connection: Arc<Connection>,
    /// Whose it is, as [`counted`] has it.
    counts_for: IpAddr,
}

impl Open {
    fn remove(&mut self, id: u64) {
        if let Some(gone) = self.all.remove(&id) {
            self.count_off(gone.counts_for);
        }
    }

    fn count_off(&mut self, address: IpAddr) {
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// From now on a connection counts for another address.
    fn count_for(&mut self, id: u64, address: IpAddr) {
        let Some(held) = self.all.get_mut(&id) else { return };
        let before = std::mem::replace(&mut held.counts_for, address);
        *self.by_address.entry(address).or_default() += 1;
        self.count_off(before);
    }

    /// Whether there is room for one more of this address; its own that is needed least makes it.
    fn has_room_for(&mut self, address: IpAddr, most: usize) -> bool {
        let has = self.by_address.get(&address).copied().unwrap_or_default();
        has < most || self.make_room(|one| one.counts_for == address)
    }

    /// Closes the one that is needed least; whether there was one.
    fn make_room(&mut self, among: impl Fn(&Held) -> bool) -> bool {
        let least = self
            .all
            .iter()
            .filter(|(_, held)| among(held))
            .filter_map(|(id, held)| Some((held.connection.dispensable()?, *id)))
            .min();
        let Some((_, id)) = least else { return false };
        if let Some(held) = self.all.get(&id) {
            held.connection.closed.cancel();
        }
        self.remove(id);
        true
    }
}

/// A connection's entry, until it is dropped.
pub struct Entry {
    id: u64,
    /// Who is connected.
    peer: IpAddr,
    connections: Arc<Connections>,
    pub connection: Arc<Connection>,
}

impl Entry {
    /// The headers of a request are here; whether its client may have one more. `complete`: there is no more of it to come.
    pub fn requested(&self, headers: &HeaderMap, complete: bool) -> bool {
        self.connection.requested(complete);
        let limits = &self.connections.limits;
        let client = limits.proxies.trusts(self.peer).then(|| limits.proxies.client(headers)).flatten();
        let Some(client) = client.map(counted) else { return true };
        let mut open = self.connections.lock();
        let has_room = open.has_room_for(client, limits.per_address);
        if has_room {
            open.count_for(self.id, client);
        }
        has_room
    }

    /// The answer is on its way. What a proxy keeps open for the next request is no client's.
    pub fn answered(&self) {
        self.connection.answered();
        if self.connections.limits.proxies.trusts(self.peer) {
            self.connections.lock().count_for(self.id, counted(self.peer));
        }
    }
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

    /// Accepts a connection; `None` when the limit is reached and no connection can be closed for it.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Entry> {
        let (peer, counts_for) = (address, counted(address));
        let mut open = self.lock();
        if !self.limits.proxies.trusts(peer) && !open.has_room_for(counts_for, self.limits.per_address) {
            return None;
        }
        if open.all.len() >= self.limits.connections && !open.make_room(|_| true) {
            return None;
        }
        let connection = Arc::new(Connection {
            phase: AtomicU8::new(Phase::Headers as u8),
            since: AtomicU64::new(0),
            unread_since: AtomicU64::new(0),
            epoch: self.epoch,
            closed: CancellationToken::new(),
        });
        connection.enter(Phase::Headers);
        let id = open.next;
        open.next += 1;
        open.all.insert(id, Held { connection: connection.clone(), counts_for });
        *open.by_address.entry(counts_for).or_default() += 1;
        Some(Entry { id, peer, connections: self.clone(), connection })
    }

    /// Closes whichever is needed least: the process has no descriptor left.
    pub fn make_room(&self) {
        self.lock().make_room(|_| true);
    }

    /// Closes those whose clients are late.
    pub fn sweep(&self) {
        let open = self.lock();
        for held in open.all.values().filter(|held| held.connection.is_late(&self.limits)) {
            held.connection.closed.cancel();
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
        let trusting = Connections::new(ConnectionLimits { proxies: proxy(), ..limits(4, 1) });
        let many: Vec<_> = (0..4).filter_map(|_| trusting.enter(CLIENT)).collect();
        assert_eq!(many.iter().filter(|one| one.connection.closed.is_cancelled()).count(), 0);
    }

    fn proxy() -> Proxies {
        Proxies { networks: vec!["192.0.2.0/24".parse().unwrap()], ..Proxies::default() }
    }

    fn from(client: &str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), client.parse().unwrap())])
    }

    #[test]
    fn behind_a_proxy_each_client_has_its_own_limit() {
        let connections = Connections::new(ConnectionLimits { proxies: proxy(), ..limits(40, 2) });
        let [first, second, third, fourth] = [0; 4].map(|_| connections.enter(CLIENT).unwrap());
        let greedy = from("198.51.100.1, 203.0.113.9");
        assert!(first.requested(&greedy, true) && second.requested(&from("203.0.113.9"), true));
        assert!(
            !third.requested(&from("10.9.9.9, 203.0.113.9:99"), true),
            "a forged address in front is no other client"
        );
        assert!(third.requested(&from("203.0.113.10"), true), "another client");
        first.answered();
        assert!(fourth.requested(&greedy, false), "a request that was answered does not count any more");
        assert!(first.requested(&greedy, true));
        assert!(fourth.connection.closed.is_cancelled(), "the client's own that waits for it makes room");
        assert!(!second.connection.closed.is_cancelled() && !third.connection.closed.is_cancelled());
        drop((first, second, third, fourth));
        assert!(connections.lock().by_address.is_empty(), "all are counted off");
    }

    #[test]
    fn who_is_no_trusted_proxy_names_nobody() {
        let connections = Connections::new(ConnectionLimits { proxies: Proxies::default(), ..limits(40, 2) });
        let mut entries = Vec::new();
        for number in 0..3 {
            entries.extend(connections.enter(CLIENT));
            if let Some(entry) = entries.last() {
                entry.requested(&from(&format!("203.0.113.{number}")), true);
            }
        }
        assert_eq!(entries.len(), 2, "the limit of its own address");
        assert_eq!(connections.lock().by_address.len(), 1);
    }

    #[test]
    fn clients_of_one_ipv6_network_are_one() {
        let connections = Connections::new(limits(40, 2));
        let mut entries = Vec::new();
        for number in 1..=3 {
            let entry = connections.enter(format!("2001:db8::{number}").parse().unwrap());
            entries.extend(entry.inspect(|entry| entry.connection.requested(true)));
        }
        assert_eq!(entries.len(), 2);
        assert!(connections.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
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
