//! Server side. Counts changes of accounts, so that what was looked up before one is looked up again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use app::session::AccountId;

/// Counts the changes of accounts. Several share a count: at worst something is looked up once more. It never grows.
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

    /// Anything may have changed.
    pub fn count_all(&self) {
        for count in &self.0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub fn now(&self, account: &AccountId) -> u64 {
        self.of_account(account).load(Ordering::SeqCst)
    }
}
