//! Server side. The slot of one conversation, and what its duration says about the party.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::{Admission, Claimant, Known, QUICK_FOR, QUICK_WITHIN, SLOW_AFTER, SLOW_FOR, YIELD_AFTER, rules::Kind};

/// The slot of one conversation; freed on drop.
pub struct Slot {
    admission: Admission,
    claimant: Claimant,
    /// Which kind, and whether it counts among the newcomers.
    held: Mutex<(Kind, bool)>,
}

impl Slot {
    pub(super) const fn new(admission: Admission, claimant: Claimant, kind: Kind, newcomer: bool) -> Self {
        Self { admission, claimant, held: Mutex::new((kind, newcomer)) }
    }

    /// Gives the worker up and goes on waiting; `false` when too many wait already: then the worker is kept.
    pub fn step_aside(&self) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, newcomer) = *held;
        if kind == Kind::Waiting {
            return true;
        }
        let moved = self.admission.with(|state| {
            let moves = state.all.waiting < self.admission.caps.waiting;
            if moves {
                state.remove(&self.claimant, kind, newcomer);
                state.add(&self.claimant, Kind::Waiting, false);
            }
            moves
        });
        if moved {
            *held = (Kind::Waiting, false);
            self.admission.notify_freed();
        }
        moved
    }

    /// Runs a conversation, or a part of one, and gives the worker up when it takes long.
    pub async fn watch<T>(&self, conversation: impl Future<Output = T>) -> T {
        self.watch_or(conversation, || ()).await
    }

    /// The same; `slow` is called when it turns out to be slow.
    pub async fn watch_or<T>(&self, conversation: impl Future<Output = T>, slow: impl Fn()) -> T {
        let began = Instant::now();
        let mut conversation = std::pin::pin!(conversation);
        for after in [YIELD_AFTER, SLOW_AFTER] {
            tokio::select! {
                biased;
                outcome = &mut conversation => return self.ended(outcome, began),
                () = tokio::time::sleep_until(began + after) => {}
            }
            self.step_aside();
            if after == SLOW_AFTER {
                self.was_slow();
                slow();
            }
        }
        // There may have been no room to wait, so try again.
        loop {
            tokio::select! {
                biased;
                outcome = &mut conversation => return self.ended(outcome, began),
                () = tokio::time::sleep(SLOW_AFTER) => {
                    self.step_aside();
                    slow();
                }
            }
        }
    }

    fn ended<T>(&self, outcome: T, began: Instant) -> T {
        let (took, now) = (began.elapsed(), Instant::now());
        self.admission.with(|state| {
            let known = state.known.entry(self.claimant.party.clone());
            let known = known.or_insert(Known { slow_until: None, quick_until: None });
            known.quick_until = (took < QUICK_WITHIN).then_some(now + QUICK_FOR);
        });
        outcome
    }

    /// The party's next conversations begin as slow ones.
    pub(super) fn was_slow(&self) {
        let slow_until = Some(Instant::now() + SLOW_FOR);
        self.admission.with(|state| {
            state.known.insert(self.claimant.party.clone(), Known { slow_until, quick_until: None });
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (kind, newcomer) = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.admission.with(|state| state.remove(&self.claimant, kind, newcomer));
        self.admission.notify_freed();
    }
}
