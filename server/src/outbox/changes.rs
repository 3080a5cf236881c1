//! Server side. Counts changes of accounts, so that a value read before a change is read again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use app::session::AccountId;

/// Counts the changes of accounts, in a fixed number of counters. Accounts that share one cost an extra look-up at
/// worst.
pub(super) struct Changes([AtomicU64; 1024]);

impl Default for Changes {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 1024])
    }
}

impl Changes {
    fn of_account(&self, account: &AccountId) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        account.hash(&mut hasher);
        &self.0[usize::try_from(hasher.finish() % 1024).unwrap_or_default()]
    }

    pub fn count(&self, account: &AccountId) {
        self.of_account(account).fetch_add(1, Ordering::SeqCst);
    }

    /// Every account may have changed.
    pub fn count_all(&self) {
        for count in &self.0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub fn now(&self, account: &AccountId) -> u64 {
        self.of_account(account).load(Ordering::SeqCst)
    }
}
