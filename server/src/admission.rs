//! Server side. Which party may start a conversation with a mail server now.
//!
//! A conversation is cheap while its server is slow: a descriptor and a little memory. Scarce are conversations that
//! make progress at the same time. So there are two bounds: `workers` for those that have just begun, and a much larger
//! `waiting` for those that take longer than [`YIELD_AFTER`]. The party that chose the server (a [`Party`]) has a share
//! of both, and so has every server.
//!
//! A party's last conversations decide where the next one begins ([`Pace`]): a slow party begins in `waiting`, and
//! takes no worker. So servers that withhold their replies cost others at most one [`YIELD_AFTER`] each, once in
//! `SLOW_FOR`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::session::AccountId;
use tokio::{sync::Notify, time::Instant};

mod rules;
mod slot;
#[cfg(test)]
mod tests;

pub use rules::{Caps, Full, Pace};
use rules::{Counts, Kind, kind_for};
pub use slot::Slot;

/// A conversation that takes longer gives its worker up.
pub const YIELD_AFTER: Duration = Duration::from_millis(250);
/// A conversation that has ended within this time was quick.
pub const QUICK_WITHIN: Duration = Duration::from_secs(1);
/// A conversation that takes longer was slow.
pub const SLOW_AFTER: Duration = Duration::from_secs(3);
/// How long a party counts as slow after a slow conversation.
const SLOW_FOR: Duration = Duration::from_secs(600);
/// How long a party counts as quick after a quick one.
const QUICK_FOR: Duration = Duration::from_secs(3_600);

/// The party that chose the server of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// An account: its users and profiles together.
    Account(AccountId),
    /// The operator: the relay of this portal.
    Relay(String),
}

/// A request for a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claimant {
    pub party: Party,
    /// The server's host, in canonical form.
    pub server: String,
}

impl Claimant {
    pub fn new(party: Party, host: &str) -> Self {
        Self { party, server: host.trim_end_matches('.').to_lowercase() }
    }
}

/// Conversations of one party, or with one server.
#[derive(Debug, Default, Clone, Copy)]
struct Used {
    workers: u32,
    waiting: u32,
    /// Workers of parties without a known pace.
    newcomers: u32,
}

impl Used {
    fn is_nothing(self) -> bool {
        self.workers == 0 && self.waiting == 0
    }
}

/// The pace of a party's last conversations.
#[derive(Debug, Clone, Copy)]
struct Known {
    slow_until: Option<Instant>,
    quick_until: Option<Instant>,
}

#[derive(Default)]
struct State {
    all: Used,
    parties: HashMap<Party, Used>,
    servers: HashMap<String, Used>,
    known: HashMap<Party, Known>,
}

/// Counts conversations, and decides which may begin. In memory: it protects this process.
#[derive(Clone)]
pub struct Admission {
    caps: Caps,
    state: Arc<Mutex<State>>,
    /// Notified when a slot is freed.
    freed: Arc<Notify>,
}

impl Admission {
    pub fn new(caps: Caps) -> Self {
        Self { caps, state: Arc::default(), freed: Arc::default() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A slot for a conversation, or why there is none.
    pub fn enter(&self, claimant: &Claimant) -> Result<Slot, Full> {
        let (kind, newcomer) = self.with(|state| {
            let pace = state.pace(&claimant.party);
            let kind = kind_for(pace, &state.counts(claimant), &self.caps, &claimant.party)?;
            let newcomer = pace == Pace::New && kind == Kind::Worker;
            state.add(claimant, kind, newcomer);
            Ok((kind, newcomer))
        })?;
        Ok(Slot::new(self.clone(), claimant.clone(), kind, newcomer))
    }

    /// Whether a party's share is not used up.
    pub fn has_room(&self, party: &Party) -> bool {
        self.with(|state| {
            let used = state.parties.get(party).copied().unwrap_or_default();
            let (party_workers, party_waiting) = (used.workers, used.waiting);
            let Used { workers, waiting, newcomers } = state.all;
            let counts = Counts { workers, newcomers, waiting, party_workers, party_waiting, ..Counts::default() };
            kind_for(state.pace(party), &counts, &self.caps, party) != Err(Full::Party)
        })
    }

    /// Whether workers are running short.
    pub fn is_crowded(&self) -> bool {
        self.with(|state| state.all.workers * 4 >= self.caps.workers * 3)
    }

    /// How many conversations a party has.
    pub fn used(&self, party: &Party) -> u32 {
        self.with(|state| state.parties.get(party).map_or(0, |used| used.workers + used.waiting))
    }

    /// The pace of a party's last conversations.
    pub fn pace(&self, party: &Party) -> Pace {
        self.with(|state| state.pace(party))
    }

    /// Returns when a slot was freed since the last call.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Conversations with a worker, and those that wait.
    pub fn counts(&self) -> (u32, u32) {
        self.with(|state| (state.all.workers, state.all.waiting))
    }

    /// Forgets parties whose pace has expired.
    pub fn tidy(&self) {
        let now = Instant::now();
        self.with(|state| {
            let lasts = |until: Option<Instant>| until.is_some_and(|until| until > now);
            state.known.retain(|_, known| lasts(known.slow_until) || lasts(known.quick_until));
        });
    }

    fn notify_freed(&self) {
        self.freed.notify_one();
    }
}

impl State {
    fn pace(&self, party: &Party) -> Pace {
        let now = Instant::now();
        let lasts = |until: Option<Instant>| until.is_some_and(|until| until > now);
        match self.known.get(party) {
            Some(known) if lasts(known.slow_until) => Pace::Slow,
            Some(known) if lasts(known.quick_until) => Pace::Quick,
            _ => Pace::New,
        }
    }

    fn counts(&self, claimant: &Claimant) -> Counts {
        let party = self.parties.get(&claimant.party).copied().unwrap_or_default();
        let server = self.servers.get(&claimant.server).copied().unwrap_or_default();
        Counts {
            workers: self.all.workers,
            newcomers: self.all.newcomers,
            waiting: self.all.waiting,
            party_workers: party.workers,
            party_waiting: party.waiting,
            server_waiting: server.waiting,
            server_newcomers: server.newcomers,
        }
    }

    fn each(&mut self, claimant: &Claimant, change: impl Fn(&mut Used)) {
        change(&mut self.all);
        change(self.parties.entry(claimant.party.clone()).or_default());
        change(self.servers.entry(claimant.server.clone()).or_default());
    }

    fn add(&mut self, claimant: &Claimant, kind: Kind, newcomer: bool) {
        self.each(claimant, |used| match kind {
            Kind::Worker => {
                used.workers += 1;
                used.newcomers += u32::from(newcomer);
            }
            Kind::Waiting => used.waiting += 1,
        });
    }

    fn remove(&mut self, claimant: &Claimant, kind: Kind, newcomer: bool) {
        self.each(claimant, |used| match kind {
            Kind::Worker => {
                used.workers -= 1;
                used.newcomers -= u32::from(newcomer);
            }
            Kind::Waiting => used.waiting -= 1,
        });
        if self.parties.get(&claimant.party).is_some_and(|used| used.is_nothing()) {
            self.parties.remove(&claimant.party);
        }
        if self.servers.get(&claimant.server).is_some_and(|used| used.is_nothing()) {
            self.servers.remove(&claimant.server);
        }
    }
}
