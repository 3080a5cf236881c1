//! Server side. The servers that lanes wait for, as this process uses them: connections, which of them are idle, rates
//! and back-off. In memory, and only for servers in use.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{diagnosis::cause::Cause, profile::model::ProfileId};
use tokio::{sync::Notify, time::Instant};

pub(super) mod key;
mod parked;
mod slots;

use parked::Parked;
pub use slots::{ConnectionSlot, LargePermit};

/// How long pipelining across messages stays off after a server got out of step with it.
const STUMBLES: Duration = Duration::from_hours(1);
/// The burst under a limit per minute, in seconds' worth of messages.
pub(super) const BURST_S: f64 = 6.0;

/// A server with a login.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DestinationId {
    Profile(ProfileId),
    /// The relay of this portal.
    Relay(String),
}

/// A destination: its id in this process, and its key in the database.
#[derive(Clone, Copy)]
pub(super) struct DestinationRef<'a> {
    pub id: &'a DestinationId,
    pub key: &'a str,
}

#[derive(Default)]
struct State {
    active: u32,
    /// Connections on which `QUIT` was sent and that are not closed yet.
    closing: u32,
    parked: Vec<Parked>,
    /// End of the back-off.
    blocked_until: Option<Instant>,
    /// When the back-off was learnt.
    blocked_at: Option<Instant>,
    /// The cause of the back-off.
    cause: Option<Cause>,
    /// How often the server was found to work: a back-off decided before the last time is void.
    recoveries: u64,
    /// How many slots there were when one was last taken.
    most: u32,
    /// A large message is being sent: one at a time, so that a slow server does not use up the memory budget.
    large: bool,
    /// Messages that may be sent at once, and when that was computed.
    allowance: Option<(f64, Instant)>,
    /// When it last got out of step in a transaction that had begun with the end of the previous message.
    stumbled_at: Option<Instant>,
    /// Messages left of the portion of the shared rate, and when the portion expires.
    portion: Option<(u32, Instant)>,
}

impl State {
    fn stumbles(&self, now: Instant) -> bool {
        self.stumbled_at.is_some_and(|at| now.duration_since(at) < STUMBLES)
    }

    fn is_idle(&self, now: Instant) -> bool {
        let rested = |at: Instant| now.duration_since(at) > Duration::from_secs(60);
        self.active == 0
            && self.closing == 0
            && self.parked.is_empty()
            && self.blocked_until.is_none_or(rested)
            && self.allowance.is_none_or(|(_, at)| rested(at))
            && !self.stumbles(now)
    }
}

/// Every server that is in use.
#[derive(Clone, Default)]
pub struct Destinations {
    states: Arc<Mutex<HashMap<DestinationId, State>>>,
    /// A connection was closed.
    closed: Arc<Notify>,
}

impl Destinations {
    fn with<T>(&self, id: &DestinationId, change: impl FnOnce(&mut State) -> T) -> T {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        change(states.entry(id.clone()).or_default())
    }

    /// A slot, when fewer than `most` are taken.
    pub fn enter(&self, id: &DestinationId, most: u32) -> Option<ConnectionSlot> {
        let entered = self.with(id, |state| {
            let free = state.active < most;
            state.most = most;
            state.active += u32::from(free);
            free
        });
        entered.then(|| ConnectionSlot { destinations: self.clone(), id: id.clone() })
    }

    /// Whether every slot is taken.
    pub fn is_full(&self, id: &DestinationId, most: u32) -> bool {
        self.with(id, |state| state.active >= most)
    }

    /// Whether every slot is taken, by the number of slots known from the last call of [`enter`](Self::enter).
    pub fn is_at_its_most(&self, id: &DestinationId) -> bool {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(id).is_some_and(|state| state.active > 0 && state.active >= state.most)
    }

    /// How long the server's back-off still lasts, and its cause.
    pub fn blocked(&self, id: &DestinationId) -> Option<(Duration, Option<Cause>)> {
        let now = Instant::now();
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.get(id)?;
        let left = state.blocked_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some((left, state.cause))
    }

    /// Notes that the server got out of step in a transaction that had begun with the end of the previous message.
    pub fn stumbled(&self, id: &DestinationId) {
        self.with(id, |state| state.stumbled_at = Some(Instant::now()));
    }

    /// Whether the server got out of step within the last hour.
    pub fn stumbles(&self, id: &DestinationId) -> bool {
        self.with(id, |state| state.stumbles(Instant::now()))
    }

    /// How often the server was found to work. Read it before querying the database, and pass it to [`Self::block`].
    pub fn recoveries(&self, id: &DestinationId) -> u64 {
        self.with(id, |state| state.recoveries)
    }

    /// Applies the back-off that the database says: running conversations learn of it here. Ignored if the server has
    /// recovered since `recoveries` was read, because the database's answer is out of date then.
    pub fn block(&self, id: &DestinationId, recoveries: u64, wait: Duration, cause: Option<Cause>) {
        let until = Instant::now() + wait;
        self.with(id, |state| {
            if state.recoveries == recoveries {
                (state.blocked_until, state.cause) = (Some(until), cause);
                state.blocked_at = Some(Instant::now());
            }
        });
    }

    /// The database says that the server has no back-off: one learnt before `asked` is out of date.
    pub fn unblock_before(&self, id: &DestinationId, asked: Instant) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(id)
            && state.blocked_until.is_some()
            && state.blocked_at.is_none_or(|at| at < asked)
        {
            state.blocked_until = None;
            state.recoveries += 1;
        }
    }

    /// The server works, or its settings were changed.
    pub fn unblock(&self, id: &DestinationId) {
        self.with(id, |state| {
            state.blocked_until = None;
            state.recoveries += 1;
        });
    }

    /// Takes the send permit for one message; otherwise returns how long to wait for it.
    pub fn acquire_permit(&self, id: &DestinationId, per_minute: Option<u32>) -> Result<(), Duration> {
        let Some(per_minute) = per_minute else { return Ok(()) };
        let now = Instant::now();
        let rate = f64::from(per_minute) / 60.0;
        let most = (rate * BURST_S).max(1.0);
        self.with(id, |state| {
            let (left, at) = state.allowance.unwrap_or((most, now));
            let left = (left + now.duration_since(at).as_secs_f64() * rate).min(most);
            if left >= 1.0 {
                state.allowance = Some((left - 1.0, now));
                Ok(())
            } else {
                state.allowance = Some((left, now));
                Err(Duration::from_secs_f64((1.0 - left) / rate))
            }
        })
    }

    /// Takes one message out of the portion of the shared rate.
    pub fn take_of_portion(&self, id: &DestinationId) -> bool {
        let now = Instant::now();
        self.with(id, |state| match &mut state.portion {
            Some((left, until)) if *left > 0 && *until > now => {
                *left -= 1;
                true
            }
            _ => false,
        })
    }

    /// Adds this many messages to the portion, to be sent before `until`.
    pub fn add_portion(&self, id: &DestinationId, messages: u32, until: Instant) {
        let now = Instant::now();
        self.with(id, |state| {
            let left = state.portion.filter(|(_, until)| *until > now).map_or(0, |(left, _)| left);
            state.portion = Some((left + messages, until));
        });
    }

    /// The permit for one large message, unless another one is being sent.
    pub fn acquire_large(&self, id: &DestinationId) -> Option<LargePermit> {
        let free = self.with(id, |state| !std::mem::replace(&mut state.large, true));
        free.then(|| LargePermit { destinations: self.clone(), id: id.clone() })
    }

    /// Slots taken at a server.
    pub fn active(&self, id: &DestinationId) -> u32 {
        self.with(id, |state| state.active)
    }

    /// Connections in use, and idle ones, for the operator.
    pub fn connection_counts(&self) -> (u64, u64) {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let active = states.values().map(|state| u64::from(state.active)).sum();
        (active, states.values().map(|state| state.parked.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests;
