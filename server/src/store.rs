//! Server side. Storage, behind a small trait for each aggregate. Every adapter passes the same suite (`contract`).
//!
//! "Not found" is `Ok(None)` (or `false`), also for rows of another account. A row that cannot be decoded is a
//! [`StoreError::Inconsistent`] that names table, column and row. No method sees a secret in clear.
//!
//! A method that changes something of an account takes the entry for the history, and writes both in one transaction,
//! so that no change goes unrecorded.
//!
//! A trait, its SQLite half, its PostgreSQL half and its contract have the same name: `sessions.rs`,
//! `sqlite/sessions.rs`, `postgres/sessions.rs`, `contract/sessions.rs`. To add a method, change all four. Rows are
//! decoded in `codec`;
//! what a transaction does is in `flow`.

use app::{
    diagnosis::cause::Cause,
    journal::model::Entry,
    profile::{
        encoding::Encoding,
        model::{ProfileId, Settings},
        sending::{Health, SendingOptions},
    },
    session::Session,
    test_run::report::Verdict,
};
use jiff::{SignedDuration, Timestamp};
use mail::smtp::LoginOutcome;
use outbox::{NewEvent, TransitionEvent};
use uuid::Uuid;

use model::{
    login::{Admission, LoginCount},
    way::Candidate,
};

mod accounts;
mod change;
mod clock;
mod codec;
#[cfg(test)]
pub(crate) mod contract;
pub mod copy;
mod deleted;
mod drafts;
mod error;
mod events;
mod flow;
mod grants;
mod journal;
mod logins;
mod maintenance;
mod messages;
pub mod one_writer;
pub mod outbox;
pub mod postgres;
mod profiles;
mod quarantine;
mod queue;
mod reliability;
pub mod replicas;
mod retention;
mod sealed;
mod sessions;
mod settlements;
mod sign_ins;
pub mod sqlite;
mod succession;
mod test_result;
mod test_runs;

pub use accounts::AccountStore;
pub use change::{Change, Decide, EntryFor};
pub use clock::ClockStore;
pub use deleted::{Aside, DeletedStore, RestoreRequest, Restored};
pub use drafts::DraftStore;
pub use error::StoreError;
pub use events::EventStore;
pub use grants::{Grant, GrantCount, GrantEnd, GrantLease, GrantRow, GrantStore, GrantTokens, Refreshed};
pub use journal::JournalStore;
pub use logins::LoginStore;
pub use maintenance::MaintenanceStore;
pub use messages::MessageStore;
pub use profiles::{AccountProfile, Deletion, ProfileStore, ProfileWithFailure};
pub use quarantine::QuarantineStore;
pub use queue::{LaneKey, QueueStore};
pub use reliability::reliability;
pub use retention::{DRAFTS_LAST, MOST_DRAFTS};
pub use sealed::SealedStore;
pub use sessions::SessionStore;
pub use settlements::SettlementStore;
pub use sign_ins::{SignInRow, SignInStore, UsedState};
pub use test_runs::TestRunStore;

/// A sealed secret, and when it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    pub sealed: Vec<u8>,
    pub changed_at: Timestamp,
    /// The key under which its logins are counted.
    pub login_key: [u8; 32],
}

/// A request for a login slot.
#[derive(Debug, Clone, Copy)]
pub struct LoginClaim {
    pub id: Uuid,
    pub key: [u8; 32],
    pub now: Timestamp,
    pub until: Timestamp,
    pub again_after: Option<SignedDuration>,
}

/// How a login ended.
#[derive(Debug, Clone, Copy)]
pub struct LoginEnd {
    pub id: Uuid,
    pub key: [u8; 32],
    pub outcome: LoginOutcome,
    pub at: Timestamp,
}

/// The rule that decides about a claim.
pub type Admit<'a> = dyn Fn(LoginCount, Option<SignedDuration>, Timestamp) -> Admission + Send + Sync + 'a;

/// The last test of a profile, and the settings it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    pub fingerprint: [u8; 32],
    pub at: Timestamp,
    pub verdict: Verdict,
    pub cause: Option<Cause>,
    /// When the code of the confirmation mail was entered.
    pub received_at: Option<Timestamp>,
}

impl Tested {
    /// When a mail was received, if the last test does not contradict that. When it is unknown whether the last test's
    /// mail was sent, only the code of that mail counts.
    pub fn received(&self) -> Option<Timestamp> {
        self.received_at.filter(|at| self.verdict != Verdict::DeliveryUnknown || *at >= self.at)
    }
}

/// The code of a confirmation mail, stored as a salted hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub salt: [u8; 16],
    pub code: [u8; 32],
    pub expires_at: Timestamp,
    pub tries_left: u32,
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    pub id: ProfileId,
    pub settings: Settings,
    pub encoding: Encoding,
    pub in_use: bool,
    /// The password. With a grant, the access token, if there is one.
    pub secret: Option<SealedSecret>,
    /// The owner signed in instead of entering a password.
    pub grant: Option<Grant>,
    /// Consecutive refusals of a login with this secret, in this profile or in another one with the same login.
    pub secret_refusals: u32,
    pub tested: Option<Tested>,
    pub sending: SendingOptions,
    pub health: Health,
    /// The fingerprint of the settings that the last message was sent with.
    pub signed_fingerprint: Option<[u8; 32]>,
    /// Counts the changes of settings and secret, from 1. A form sends the revision it showed.
    pub revision: u32,
    /// The form that made it. A form that is sent twice makes one profile.
    pub creation: Option<String>,
}

impl ProfileRow {
    /// Covers everything that decides how its messages are sent.
    pub fn fingerprint(&self) -> [u8; 32] {
        let signed_in_at = self.grant.as_ref().map(|grant| grant.granted_at);
        let changed_at = signed_in_at.or_else(|| self.secret.as_ref().map(|secret| secret.changed_at));
        model::fingerprint::fingerprint(&self.settings, self.encoding, changed_at)
    }

    /// The facts that decide whether messages go through it.
    pub fn candidate(&self) -> Candidate {
        let failed = |tested: &Tested| tested.verdict == Verdict::Failed && tested.fingerprint == self.fingerprint();
        Candidate {
            has_secret: self.secret.is_some() || self.grant.is_some(),
            test_failed: self.tested.as_ref().is_some_and(failed),
            refusals: self.secret_refusals,
            fallback: self.sending.fallback,
            health: self.health,
        }
    }

    /// A new profile: no secret, never tested, never used.
    pub fn new(id: ProfileId, settings: Settings) -> Self {
        Self {
            id,
            settings,
            encoding: Encoding::default(),
            in_use: false,
            secret: None,
            grant: None,
            secret_refusals: 0,
            tested: None,
            sending: SendingOptions::default(),
            health: Health::default(),
            signed_fingerprint: None,
            revision: 1,
            creation: None,
        }
    }
}

/// The data stored with a test.
#[derive(Debug, Clone, Copy)]
pub struct TestRecord<'a> {
    /// Fingerprint of the settings that were tested.
    pub fingerprint: &'a [u8; 32],
    /// Replaces the previous one.
    pub receipt: Option<&'a Receipt>,
    /// Events for the portal; empty if it has no webhook.
    pub events: &'a [NewEvent],
    /// Makes the event for a profile that this test repairs.
    pub transition_event: Option<TransitionEvent>,
    /// The entry of the history.
    pub entry: &'a Entry,
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub session: Session,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// The latest time at which it ends.
    pub ends_at: Timestamp,
}

/// Every aggregate.
pub trait Store:
    AccountStore
    + ClockStore
    + DeletedStore
    + DraftStore
    + EventStore
    + GrantStore
    + JournalStore
    + LoginStore
    + MaintenanceStore
    + MessageStore
    + ProfileStore
    + QuarantineStore
    + QueueStore
    + SealedStore
    + SessionStore
    + SettlementStore
    + SignInStore
    + TestRunStore
{
}

impl<
    T: AccountStore
        + ClockStore
        + DeletedStore
        + DraftStore
        + EventStore
        + GrantStore
        + JournalStore
        + LoginStore
        + MaintenanceStore
        + MessageStore
        + ProfileStore
        + QuarantineStore
        + QueueStore
        + SealedStore
        + SessionStore
        + SettlementStore
        + SignInStore
        + TestRunStore,
> Store for T
{
}

/// Every aggregate's trait, imported for its methods only.
pub mod aggregates {
    pub use super::{
        AccountStore as _, ClockStore as _, DeletedStore as _, DraftStore as _, EventStore as _, GrantStore as _,
        JournalStore as _, LoginStore as _, MaintenanceStore as _, MessageStore as _, ProfileStore as _,
        QuarantineStore as _, QueueStore as _, SealedStore as _, SessionStore as _, SettlementStore as _,
        SignInStore as _, TestRunStore as _,
    };
}
