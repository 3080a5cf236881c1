//! Server side. The outbox's settings.

use std::time::Duration;

use jiff::SignedDuration;

/// The settings an operator chooses.
#[derive(Debug, Clone, Copy)]
pub struct OutboxOptions {
    /// Most conversations that have just begun.
    pub workers: u32,
    /// Most conversations that wait for slow servers, beside them.
    pub waiting: u32,
    /// Most conversations of one account at once, of either kind.
    pub per_account: u32,
    /// Simultaneous connections to one server, by default.
    pub connections: u32,
    pub first_retry: Duration,
    pub longest_retry: Duration,
    /// A message that could not be sent for this long has failed.
    pub give_up_after: SignedDuration,
    pub lease: Duration,
    /// How long a reply may take.
    pub reply: Duration,
    /// How long the reply to a message may take (RFC 5321 §4.5.3.2.6 asks for ten minutes).
    pub last_reply: Duration,
    /// How long the record of a finished message is kept.
    pub kept: SignedDuration,
    /// How long the content of a message that was not accepted is kept.
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
