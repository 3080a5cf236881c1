//! The sending options of a profile, and how its recent mail has fared.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cause::Cause;

/// Consecutive failures for the same cause after which a profile counts as broken.
pub const BROKEN_AFTER: u32 = 3;

/// What the owner set for sending. `None`: the provider's or the operator's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SendingOptions {
    /// Simultaneous connections to the server, 1 to 20.
    pub max_connections: Option<u32>,
    /// Messages per minute, 1 to 6,000.
    pub per_minute: Option<u32>,
    /// Messages in 24 hours, 1 to 1,000,000.
    pub per_day: Option<u32>,
    /// Log in once an hour, to detect a broken profile before a message fails.
    pub check_hourly: bool,
    /// Use the portal's own server when this one fails.
    pub fallback: bool,
}

/// The results of the messages that used a profile. Failures that concern one message or its recipients do not count: a
/// wrong recipient address does not make a profile broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Consecutive failures for the same cause.
    pub failures: u32,
    pub failing_cause: Option<Cause>,
    /// When it became broken.
    pub broken_at: Option<Timestamp>,
    /// The last message that its server accepted.
    pub sent_at: Option<Timestamp>,
    /// The last failure caused by the profile.
    pub failed_at: Option<Timestamp>,
    pub failed_cause: Option<Cause>,
    /// The last login that was tried without a message.
    pub checked_at: Option<Timestamp>,
}

/// How sending through a profile is going, with its current settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendState {
    /// No message was sent with these settings.
    #[default]
    Unknown,
    /// The server accepted the last message.
    Sent { at: Timestamp },
    /// The last message failed because of the profile.
    Failing { at: Timestamp, cause: Cause },
    /// Three consecutive messages failed for the same reason.
    Broken { since: Timestamp, cause: Cause },
}

/// What a message, or a login, shows about its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthSignal {
    /// The server accepted a message.
    Sent,
    /// A login succeeded, or a test's message was accepted.
    Well,
    /// A login succeeded, but the failure concerns messages only.
    Passed,
    Failed(Cause),
    /// It cannot succeed before a person acts: it is broken at once.
    Ended(Cause),
}

/// A change to report to the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthTransition {
    Broke(Cause),
    Recovered,
}

impl Health {
    pub fn is_broken(&self) -> bool {
        self.broken_at.is_some()
    }

    /// Applies a signal. A transition is reported once: at the third failure, and at the first success after that.
    pub fn take(&mut self, signal: HealthSignal, at: Timestamp) -> Option<HealthTransition> {
        match signal {
            HealthSignal::Sent | HealthSignal::Well => {
                if signal == HealthSignal::Sent {
                    self.sent_at = Some(at);
                }
                (self.failures, self.failing_cause) = (0, None);
                self.broken_at.take().map(|_| HealthTransition::Recovered)
            }
            HealthSignal::Passed => None,
            HealthSignal::Failed(cause) => {
                (self.failed_at, self.failed_cause) = (Some(at), Some(cause));
                // A held profile stays held.
                let goes_on = self.failing_cause == Some(cause) || self.is_held();
                self.failures = if goes_on { self.failures.saturating_add(1) } else { 1 };
                self.failing_cause = Some(cause);
                if self.failures != BROKEN_AFTER {
                    return None;
                }
                self.broken_at.get_or_insert(at);
                Some(HealthTransition::Broke(cause))
            }
            HealthSignal::Ended(cause) => {
                let was_held = self.is_held();
                (self.failed_at, self.failed_cause, self.failing_cause) = (Some(at), Some(cause), Some(cause));
                self.failures = self.failures.saturating_add(1).max(BROKEN_AFTER);
                self.broken_at.get_or_insert(at);
                (!was_held).then_some(HealthTransition::Broke(cause))
            }
        }
    }

    /// The current state.
    pub fn state(&self) -> SendState {
        let cause = self.failed_cause.unwrap_or(Cause::Unknown);
        match (self.broken_at, self.failed_at, self.sent_at) {
            (Some(since), ..) => SendState::Broken { since, cause },
            (None, Some(at), _) if self.failures > 0 => SendState::Failing { at, cause },
            (None, _, Some(at)) => SendState::Sent { at },
            _ => SendState::Unknown,
        }
    }

    /// The settings were changed, so earlier failures no longer count. The next success proves that it works.
    pub fn start_over(&mut self) {
        (self.failures, self.failing_cause) = (0, None);
    }

    /// Whether nothing is sent until the settings change or a login succeeds: it failed so often that further attempts
    /// would only use up messages.
    pub fn is_held(&self) -> bool {
        self.is_broken() && self.failures >= BROKEN_AFTER
    }
}

/// Whether a cause concerns only one message, its recipients or one connection, and shows nothing about the profile.
pub const fn is_about_the_message(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::AddressSyntax
            | Cause::RecipientRejected
            | Cause::RecipientMailboxFull
            | Cause::Greylisted
            | Cause::TooManyRecipients
            | Cause::MessageTooLarge
            | Cause::MessageRejected
            | Cause::MessageMalformed
            | Cause::SessionLimit
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_third_failure_of_a_kind_breaks_it_and_is_told_once() {
        let mut health = Health::default();
        let failed = HealthSignal::Failed(Cause::BadCredentials);
        assert_eq!(health.take(failed, at(1)), None);
        assert_eq!(health.take(HealthSignal::Failed(Cause::Timeout), at(2)), None);
        assert_eq!(health.take(failed, at(3)), None, "another cause came between");
        assert_eq!(health.take(failed, at(4)), None);
        assert!(!health.is_broken());
        assert_eq!(health.take(failed, at(5)), Some(HealthTransition::Broke(Cause::BadCredentials)));
        assert!(health.is_held());
        assert_eq!((health.take(failed, at(6)), health.broken_at), (None, Some(at(5))));
        assert_eq!((health.take(HealthSignal::Failed(Cause::Timeout), at(6)), health.is_held()), (None, true));
        assert_eq!((health.take(HealthSignal::Passed, at(6)), health.is_held()), (None, true));
        assert_eq!(health.take(HealthSignal::Well, at(7)), Some(HealthTransition::Recovered));
        assert_eq!((health.take(HealthSignal::Sent, at(8)), health.sent_at), (None, Some(at(8))));
        assert_eq!((health.failed_at, health.is_broken()), (Some(at(6)), false));
    }

    #[test]
    fn what_cannot_succeed_breaks_it_at_once_and_is_told_once() {
        let mut health = Health::default();
        let ended = HealthSignal::Ended(Cause::OauthReconnect);
        assert_eq!(health.take(ended, at(1)), Some(HealthTransition::Broke(Cause::OauthReconnect)));
        assert!(health.is_held());
        assert_eq!((health.take(ended, at(2)), health.broken_at), (None, Some(at(1))));
        health.start_over();
        assert_eq!(health.take(HealthSignal::Well, at(3)), Some(HealthTransition::Recovered));
    }

    #[test]
    fn changed_settings_are_tried_and_a_second_break_is_told_again() {
        let mut health = Health::default();
        let failed = HealthSignal::Failed(Cause::BadCredentials);
        let transitions: Vec<_> = (1..=3).filter_map(|second| health.take(failed, at(second))).collect();
        assert_eq!(transitions.len(), 1);
        health.start_over();
        assert!(health.is_broken() && !health.is_held());
        let transitions: Vec<_> = (4..=9).filter_map(|second| health.take(failed, at(second))).collect();
        assert_eq!(transitions.len(), 1);
        assert_eq!(health.broken_at, Some(at(3)));
    }
}
