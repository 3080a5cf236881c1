//! Server side. Limits how much large content is in memory at once, in total and by party.
//!
//! Two budgets of the same size: one for messages that make progress, one for those whose servers are slow. A message
//! that turns slow moves to the second budget, so that it does not keep other parties' large messages waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::admission::{Pace, Party};

/// Each budget, in KiB.
const BUDGET_KIB: u32 = 64 * 1024;
/// The most one party may use of each. The largest message counts as this much, so that there is always room for it.
const SHARE_KIB: u32 = BUDGET_KIB / 2;
/// Smaller messages, in KiB, are not counted.
const LARGE_KIB: u32 = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Budget {
    Brisk,
    Stalled,
}

#[derive(Default)]
struct Used {
    all: u32,
    /// Used by parties of unknown pace: half of the budget is reserved for those that were quick.
    strangers: u32,
    parties: HashMap<Party, u32>,
}

impl Used {
    fn fits(&self, party: &Party, kib: u32, stranger: bool) -> bool {
        self.all + kib <= BUDGET_KIB
            && self.parties.get(party).copied().unwrap_or_default() + kib <= SHARE_KIB
            && (!stranger || self.strangers + kib <= SHARE_KIB)
    }

    fn add(&mut self, party: &Party, kib: u32, stranger: bool) {
        self.all += kib;
        self.strangers += if stranger { kib } else { 0 };
        *self.parties.entry(party.clone()).or_default() += kib;
    }

    fn remove(&mut self, party: &Party, kib: u32, stranger: bool) {
        self.all -= kib;
        self.strangers -= if stranger { kib } else { 0 };
        if let Some(own) = self.parties.get_mut(party) {
            *own -= kib;
            if *own == 0 {
                self.parties.remove(party);
            }
        }
    }
}

#[derive(Default)]
struct State {
    brisk: Used,
    stalled: Used,
}

impl State {
    fn of(&mut self, budget: Budget) -> &mut Used {
        match budget {
            Budget::Brisk => &mut self.brisk,
            Budget::Stalled => &mut self.stalled,
        }
    }
}

/// The memory in use by large messages.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

/// Room for a message; dropping it frees it.
pub(super) struct Room {
    memory: Memory,
    party: Party,
    kib: u32,
    place: Mutex<(Budget, bool)>,
}

impl Memory {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a message of this size counts.
    pub fn counts(size: u64) -> bool {
        kib_of(size) >= LARGE_KIB
    }

    /// Room for a message of this size.
    pub fn enter(&self, party: &Party, pace: Pace, size: u64) -> Option<Room> {
        let kib = kib_of(size);
        let stranger = pace == Pace::New && matches!(party, Party::Account(_));
        let budget = if pace == Pace::Slow { Budget::Stalled } else { Budget::Brisk };
        let fits = self.with(|state| {
            let used = state.of(budget);
            let fits = used.fits(party, kib, stranger);
            if fits {
                used.add(party, kib, stranger);
            }
            fits
        });
        fits.then(|| Room { memory: self.clone(), party: party.clone(), kib, place: Mutex::new((budget, stranger)) })
    }
}

fn kib_of(size: u64) -> u32 {
    u32::try_from(size / 1024).unwrap_or(u32::MAX).min(SHARE_KIB)
}

impl Room {
    /// Its server is slow: moves to the slow budget, if there is room.
    pub fn stall(&self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let (budget, stranger) = *place;
        let moved = budget == Budget::Brisk
            && self.memory.with(|state| {
                let fits = state.stalled.fits(&self.party, self.kib, false);
                if fits {
                    state.brisk.remove(&self.party, self.kib, stranger);
                    state.stalled.add(&self.party, self.kib, false);
                }
                fits
            });
        if moved {
            *place = (Budget::Stalled, false);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let (budget, stranger) = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.memory.with(|state| state.of(budget).remove(&self.party, self.kib, stranger));
    }
}

#[cfg(test)]
mod tests {
    use app::session::AccountId;

    use super::*;

    const LARGE: u64 = 30 * 1024 * 1024;

    fn party(name: &str) -> Party {
        Party::Account(AccountId { portal: "demo".to_owned(), account: name.to_owned() })
    }

    #[test]
    fn strangers_who_stall_leave_room_for_those_who_are_quick() {
        let memory = Memory::default();
        let mut held = Vec::new();
        for number in 0..20 {
            let evil = party(&format!("evil{number}"));
            held.extend(memory.enter(&evil, Pace::New, LARGE));
            held.iter().for_each(Room::stall);
            held.extend(memory.enter(&evil, Pace::Slow, LARGE));
        }
        assert_eq!(held.len(), 3, "two that stall, and one that would stall");
        assert!(memory.enter(&party("good"), Pace::Quick, LARGE).is_some());
        let mine: Vec<Room> = (0..9).filter_map(|_| memory.enter(&party("good"), Pace::Quick, LARGE)).collect();
        assert_eq!(mine.len(), 1, "one party has half at most");
        drop((held, mine));
        assert!(
            memory.with(|state| state.brisk.all == 0 && state.stalled.all == 0 && state.stalled.parties.is_empty())
        );
    }

    #[test]
    fn the_largest_message_has_room() {
        let memory = Memory::default();
        for pace in [Pace::New, Pace::Quick, Pace::Slow] {
            assert!(memory.enter(&party("a"), pace, u64::MAX).is_some());
        }
        assert!(!Memory::counts(255 * 1024) && Memory::counts(256 * 1024));
    }
}
