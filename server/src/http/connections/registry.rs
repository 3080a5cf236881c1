//! Server side. The open connections, and the limits on them: in total, and for each client.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::http::HeaderMap;

use super::{connection::Connection, forwarded::client_key, limits::ConnectionLimits};

#[cfg(test)]
mod tests;

/// The open connections.
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
    /// The client whose limit it counts against: its [`client_key`].
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

    /// Counts a connection for another address from now on.
    fn count_for(&mut self, id: u64, address: IpAddr) {
        let Some(held) = self.all.get_mut(&id) else { return };
        let before = std::mem::replace(&mut held.counts_for, address);
        *self.by_address.entry(address).or_default() += 1;
        self.count_off(before);
    }

    /// Whether there is room for one more of this address; one of its own may be closed for it.
    fn has_room_for(&mut self, address: IpAddr, most: usize) -> bool {
        let has = self.by_address.get(&address).copied().unwrap_or_default();
        has < most || self.evict_one(|one| one.counts_for == address)
    }

    /// Closes the first connection in the eviction order. Returns whether there was one.
    fn evict_one(&mut self, among: impl Fn(&Held) -> bool) -> bool {
        let least = self
            .all
            .iter()
            .filter(|(_, held)| among(held))
            .filter_map(|(id, held)| Some((held.connection.eviction_rank()?, *id)))
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
    /// The connected address.
    peer: IpAddr,
    connections: Arc<Connections>,
    pub connection: Arc<Connection>,
}

impl Entry {
    /// The headers of a request arrived. Returns whether its client may have one more request. `complete`: the whole
    /// request arrived.
    pub fn received_request(&self, headers: &HeaderMap, complete: bool) -> bool {
        self.connection.received_request(complete);
        let limits = &self.connections.limits;
        let client = limits.proxies.trusts(self.peer).then(|| limits.proxies.client(headers)).flatten();
        let Some(client) = client.map(client_key) else { return true };
        let mut open = self.connections.lock();
        let has_room = open.has_room_for(client, limits.per_address);
        if has_room {
            open.count_for(self.id, client);
        }
        has_room
    }

    /// The response was handed to the socket. A connection that a proxy keeps open for the next request counts for no
    /// client.
    pub fn responded(&self) {
        self.connection.responded();
        if self.connections.limits.proxies.trusts(self.peer) {
            self.connections.lock().count_for(self.id, client_key(self.peer));
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
        let (peer, counts_for) = (address, client_key(address));
        let mut open = self.lock();
        if !self.limits.proxies.trusts(peer) && !open.has_room_for(counts_for, self.limits.per_address) {
            return None;
        }
        if open.all.len() >= self.limits.connections && !open.evict_one(|_| true) {
            return None;
        }
        let connection = Arc::new(Connection::new(self.epoch));
        let id = open.next;
        open.next += 1;
        open.all.insert(id, Held { connection: connection.clone(), counts_for });
        *open.by_address.entry(counts_for).or_default() += 1;
        Some(Entry { id, peer, connections: self.clone(), connection })
    }

    /// Closes one connection, because the process has no descriptor left.
    pub fn evict_one(&self) {
        self.lock().evict_one(|_| true);
    }

    /// Closes connections whose clients exceed a time limit.
    pub fn close_overdue(&self) {
        let open = self.lock();
        for held in open.all.values().filter(|held| held.connection.is_overdue(&self.limits)) {
            held.connection.closed.cancel();
        }
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.lock().all.len()
    }
}
