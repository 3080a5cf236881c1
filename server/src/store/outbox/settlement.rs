//! Server side. Outcomes of attempts as they are written, and events for portals.

use app::{
    diagnosis::cause::Cause,
    profile::{
        model::ProfileId,
        sending::{HealthSignal, HealthTransition},
    },
    session::AccountId,
    test_run::{event::Stage, port::TestRun},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AttemptOutcome, Lane, MessageState, MessageStatus, Recipient, Via};
use crate::store::ProfileRow;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// `None`: it ended in a crash, or before it had a route.
    pub via: Option<Via>,
    pub profile: Option<ProfileId>,
    pub outcome: AttemptOutcome,
    pub stage: Option<Stage>,
    pub cause: Option<Cause>,
    pub reply: Option<String>,
    pub queue_id: Option<String>,
}

/// A new event for a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub id: Uuid,
    pub portal: String,
    /// The JSON to send.
    pub content: String,
    pub at: Timestamp,
}

/// An event to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub id: Uuid,
    pub portal: String,
    pub content: String,
    pub created_at: Timestamp,
    pub tries: u32,
}

/// What a message, or a login, showed about a profile.
#[derive(Debug, Clone)]
pub struct HealthReport {
    pub profile: ProfileId,
    /// The settings it was about: a profile that has changed since is not judged by it.
    pub fingerprint: [u8; 32],
    pub signal: HealthSignal,
    /// A failure, to be shown to the owner.
    pub failure: Option<Box<TestRun>>,
    /// It was a login check.
    pub check: bool,
}

/// The condition for settling a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Its lease has this token.
    Lease(String),
    /// Its lease, with any token, ended before this time.
    LeaseEnded(Timestamp),
    /// No worker has it.
    Waiting,
}

/// The lease of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    pub token: Option<String>,
    pub until: Option<Timestamp>,
}

impl Precondition {
    /// Whether it holds for a message in this state, under this lease.
    pub fn holds(&self, state: MessageState, lease: &Lease) -> bool {
        match self {
            Self::Lease(token) => state == MessageState::Sending && lease.token.as_ref() == Some(token),
            Self::LeaseEnded(by) => state == MessageState::Sending && lease.until.is_some_and(|until| until <= *by),
            Self::Waiting => state.is_waiting(),
        }
    }
}

/// Makes the event for a profile that breaks or recovers.
pub type TransitionEvent = fn(&AccountId, &ProfileRow, HealthTransition, Timestamp) -> NewEvent;

/// The outcome of an attempt, written in one transaction.
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug, Clone)]
pub struct Settlement {
    pub id: Uuid,
    pub lane: Lane,
    pub precondition: Precondition,
    pub at: Timestamp,
    pub attempt: Option<Attempt>,
    /// Whether the attempt counts among the message's tries.
    pub counts: bool,
    /// The message's new status. In the state `sending` the lease stays.
    pub status: MessageStatus,
    pub recipients: Vec<Recipient>,
    /// Its content is not needed any more.
    pub content_done: bool,
    pub next_at: Option<Timestamp>,
    pub fallback: bool,
    pub health: Option<HealthReport>,
    pub event: Option<NewEvent>,
    /// Set if the portal receives health events.
    pub transition_event: Option<TransitionEvent>,
}

/// The result of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The precondition held.
    pub done: bool,
    pub transition: Option<HealthTransition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_needs_its_own_lease_or_one_that_has_ended() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let lease = Lease { token: Some("one".to_owned()), until: Some(at(30)) };
        let (own, other) = (Precondition::Lease("one".to_owned()), Precondition::Lease("two".to_owned()));
        assert!(own.holds(MessageState::Sending, &lease) && !other.holds(MessageState::Sending, &lease));
        assert!(!own.holds(MessageState::Deferred, &lease), "the lease is another one");
        assert!(!Precondition::LeaseEnded(at(29)).holds(MessageState::Sending, &lease));
        assert!(Precondition::LeaseEnded(at(30)).holds(MessageState::Sending, &lease));
        assert!(!Precondition::LeaseEnded(at(30)).holds(MessageState::Sending, &Lease::default()));
        for state in MessageState::ALL {
            let waits = matches!(state, MessageState::Queued | MessageState::Deferred);
            assert_eq!(Precondition::Waiting.holds(*state, &lease), waits);
        }
    }
}
