//! Server side. The leases of a batch while a worker sends it.

use std::sync::{Arc, PoisonError};

use crate::outbox::Outbox;

/// A batch being sent: its leases are renewed until this is dropped.
pub(super) struct LeaseGuard {
    outbox: Arc<Outbox>,
    pub lease_token: String,
}

impl LeaseGuard {
    pub fn begin(outbox: &Arc<Outbox>) -> Self {
        // Unique to this claim: a later claim has another token, even in this process.
        let lease_token = outbox.lease_token();
        outbox.lease_tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(lease_token.clone());
        Self { outbox: outbox.clone(), lease_token }
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.outbox.lease_tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lease_token);
    }
}
