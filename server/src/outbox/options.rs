//! Server side. What an operator sets of the outbox.

use std::time::Duration;

use jiff::SignedDuration;

/// What an operator sets.
#[derive(Debug, Clone, Copy)]
pub struct OutboxOptions {
    /// Conversations that have just begun, in all.
    pub workers: u32,
    /// Conversations that wait for slow servers beside them, in all.
    pub waiting: u32,
    /// Conversations of one account at once, of either kind.
    pub per_account: u32,
    /// Simultaneous connections to one server, by default.
    pub connections: u32,
    pub first_retry: Duration,
    pub longest_retry: Duration,
    /// After so long a message that could not be sent has failed.
    pub give_up_after: SignedDuration,
    pub lease: Duration,
    /// How long a reply may take.
    pub reply: Duration,
    /// How long the answer to a message may take (RFC 5321 §4.5.3.2.6 asks for ten minutes).
    pub last_reply: Duration,
    /// What is known of a finished message is kept so long…
    pub kept: SignedDuration,
    /// …and the content of one that was not accepted so long.
    pub content_kept: SignedDuration,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            workers: 64,
            waiting: 512,
            per_account: 16,
            connections: 2,
            first_retry: Duration::from_secs(60),
            longest_retry: Duration::from_secs(2 * 60 * 60),
            give_up_after: SignedDuration::from_hours(24),
            lease: Duration::from_secs(30),
            reply: Duration::from_secs(60),
            last_reply: Duration::from_secs(600),
            kept: SignedDuration::from_hours(30 * 24),
            content_kept: SignedDuration::from_hours(24),
        }
    }
}
