//! Server side. What is kept, behind one trait. Every adapter passes the same suite ([`contract`]).
//!
//! "Not found" is `Ok(None)` (or `false`), also for what belongs to another account; a row that does not map is an
//! [`StoreError::Inconsistent`] that names where it is. No method sees a secret in clear.
//!
//! A method that changes what an account owns takes the entry of the history that says so, and writes both in one
//! transaction: there is no way to change without one.
//!
//! To add a method: here, in each adapter, and a case in the contract.

use app::{
    diagnosis::cause::Cause,
    journal::model::Entry,
    profile::{
        draft::KeptDraft,
        encoding::Encoding,
        model::{ProfileId, Settings},
        port::{Heir, Written},
        sending::{Health, SendingOptions},
    },
    sending_mode::model::SendingMode,
    session::{AccountId, Person, Session},
    test_run::{port::TestRun, report::Verdict},
    theme::GivenTheme,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mail::smtp::LoginOutcome;
use outbox::NewEvent;
use uuid::Uuid;

use crate::logins::{Admission, LoginCount};

mod change;
#[cfg(test)]
pub(crate) mod contract;
pub mod outbox;
pub mod sqlite;
mod standing;

pub use change::{Change, Decide, Tell};
pub use standing::{best_heir, is_outdated, standing};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database does not answer")]
    Unavailable(#[from] sqlx::Error),
    #[error("the database cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("inconsistent row {row} in {table}.{column}")]
    Inconsistent { table: &'static str, column: &'static str, row: String },
}

impl StoreError {
    /// Whether one row is at fault, and others can be written.
    pub fn is_about_a_row(&self) -> bool {
        /// `SQLITE_TOOBIG`.
        const TOO_BIG: &str = "18";
        match self {
            Self::Inconsistent { .. } => true,
            Self::Unavailable(sqlx::Error::Database(error)) => {
                !matches!(error.kind(), sqlx::error::ErrorKind::Other)
                    || error.code().is_some_and(|code| code == TOO_BIG)
            }
            Self::Unavailable(_) | Self::Migration(_) => false,
        }
    }
}

/// A sealed secret and when it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    pub sealed: Vec<u8>,
    pub changed_at: Timestamp,
    /// What its logins are counted under.
    pub login_key: [u8; 32],
}

/// Somebody wants to log in.
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

/// The rule that a claim is judged by.
pub type Admit<'a> = dyn Fn(LoginCount, Option<SignedDuration>, Timestamp) -> Admission + Send + Sync + 'a;

/// The last test of a profile, and the settings it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    pub fingerprint: [u8; 32],
    pub at: Timestamp,
    pub verdict: Verdict,
    pub cause: Option<Cause>,
    /// When the code of the confirmation mail was typed in.
    pub received_at: Option<Timestamp>,
}

/// The code of a confirmation mail, as it is stored: not the digits themselves.
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
    pub secret: Option<SealedSecret>,
    /// How many logins in a row were refused with this secret, here or in another profile for the same login.
    pub secret_refusals: u32,
    pub tested: Option<Tested>,
    pub sending: SendingOptions,
    pub health: Health,
    /// The settings that the last message was sent with.
    pub signed_fingerprint: Option<[u8; 32]>,
    /// Counts the changes of settings and secret, from 1: a form says which one it showed.
    pub revision: u32,
    /// The form that made it. Sent twice, a form makes one profile.
    pub creation: Option<String>,
}

impl ProfileRow {
    /// One that was just made: no secret, never tested, never used.
    pub fn new(id: ProfileId, settings: Settings) -> Self {
        Self {
            id,
            settings,
            encoding: Encoding::default(),
            in_use: false,
            secret: None,
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

/// How long what was typed is kept for its person.
pub const DRAFTS_LAST: SignedDuration = SignedDuration::from_hours(24);
/// How many drafts a person may have: the oldest gives way.
pub const MOST_DRAFTS: u32 = 10;

/// What is stored with a test.
#[derive(Debug, Clone, Copy)]
pub struct TestTold<'a> {
    /// Of the settings that were tested.
    pub fingerprint: &'a [u8; 32],
    /// Takes the place of the one before.
    pub receipt: Option<&'a Receipt>,
    /// What the portal is told; empty: it is told nothing.
    pub events: &'a [NewEvent],
    /// What the history says.
    pub entry: &'a Entry,
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub session: Session,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
}

/// Everything that is kept.
#[async_trait]
pub trait Store: outbox::OutboxStore {
    async fn sending_mode(&self, account: &AccountId) -> Result<Option<SendingMode>, StoreError>;
    /// Sets the mode, where it still is the `expected` one; `false` where it is not.
    async fn set_sending_mode(
        &self,
        account: &AccountId,
        mode: SendingMode,
        expected: Option<SendingMode>,
        entry: &Entry,
    ) -> Result<bool, StoreError>;

    /// Remembers a token's id; `false` when it was used before.
    async fn use_token(&self, portal: &str, jti: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError>;
    async fn insert_session(&self, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(&self, key: &[u8; 32]) -> Result<Option<SessionRow>, StoreError>;
    async fn prolong_session(&self, key: &[u8; 32], expires_at: Timestamp) -> Result<(), StoreError>;
    /// Sets how the pages look for a session; `false` when there is none.
    async fn set_theme(&self, key: &[u8; 32], theme: &GivenTheme) -> Result<bool, StoreError>;
    /// Moves both ends of a session that is open at `now`; `false` when it is not.
    async fn renew_session(
        &self,
        key: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends the sessions of an account, or of one of its people, that are open at `now`; how many. They are remembered
    /// like sessions that ended by themselves. The entry is written when there was one to end.
    async fn end_sessions(
        &self,
        account: &AccountId,
        person: Option<&str>,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<u64, StoreError>;
    async fn delete_session(&self, key: &[u8; 32]) -> Result<(), StoreError>;
    /// Keeps what a person typed into a form, over what they had typed into it before.
    async fn keep_draft(&self, who: &Person, draft: &KeptDraft, now: Timestamp) -> Result<(), StoreError>;
    /// The person's drafts that were kept since then, the newest first.
    async fn drafts(&self, who: &Person, since: Timestamp) -> Result<Vec<KeptDraft>, StoreError>;
    async fn forget_draft(&self, who: &Person, form: &str) -> Result<(), StoreError>;
    /// Forgets drafts that are too old, sessions that ended before `sessions_before`, tokens that expired before `now`, and entries of the history
    /// that are older than a year.
    async fn sweep(&self, now: Timestamp, sessions_before: Timestamp) -> Result<(), StoreError>;

    /// At most `limit` profiles of the account in the order of their ids, those after `after`.
    async fn profiles(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError>;
    /// The same, each that fails with the last message that failed.
    async fn listed(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<(ProfileRow, Option<TestRun>)>, StoreError>;
    async fn profile(&self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError>;
    /// Makes a profile. It is in use when none of its owner's is; `in_use` of the row is not looked at.
    /// Whether it is; `None` when the account has `most` profiles already, or the same form has made one.
    async fn insert_profile(
        &self,
        account: &AccountId,
        profile: &ProfileRow,
        most: u32,
        entry: &Entry,
    ) -> Result<Option<bool>, StoreError>;
    /// Locks the row, and writes what `decide` makes of it together with the entry; `false` when there is no such profile.
    /// A stored secret is wiped in the same transaction when the destination changes, unless a new one is given.
    async fn change_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        decide: &mut Decide<'_>,
    ) -> Result<bool, StoreError>;
    /// Puts the profile in use, and its owner's other ones out of it, where it still is of the expected revision.
    async fn put_in_use(
        &self,
        account: &AccountId,
        id: ProfileId,
        expected: Option<u32>,
        tell: &Tell<'_>,
    ) -> Result<Written, StoreError>;
    /// Deletes it with its secret and its tests, where it still is of the expected revision. When it was in use, the heir,
    /// another profile of its owner, takes over; an heir that is not there any more is like another revision.
    async fn delete_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        wish: (Heir, Option<u32>),
        tell: &Tell<'_>,
    ) -> Result<Written, StoreError>;
    /// The profile that this form made.
    async fn profile_made_by(&self, account: &AccountId, creation: &str) -> Result<Option<ProfileRow>, StoreError>;
    /// The owner's other profiles, the oldest first.
    async fn others_of_owner(&self, account: &AccountId, id: ProfileId) -> Result<Vec<ProfileRow>, StoreError>;
    /// Whether the account has a profile in use that has a secret.
    async fn any_ready(&self, account: &AccountId) -> Result<bool, StoreError>;

    /// Stores a test and moves the profile's state, which is not received any more. A test that went well ends a break. One of
    /// settings that were changed meanwhile leaves a result of the new ones as it is ([`is_outdated`]): it is in the history only.
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        told: &TestTold<'_>,
    ) -> Result<bool, StoreError>;
    /// Takes one try from the receipt, and gives it with the tries that are left; `None` when there is none, or it has
    /// expired, or every try was taken.
    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError>;
    /// Marks the profile as received and forgets the receipt, when it is still this one.
    async fn confirm_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        receipt: &Receipt,
        now: Timestamp,
        tell: &Tell<'_>,
    ) -> Result<bool, StoreError>;
    async fn last_test(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError>;

    /// Gives places for logins where `admit` says so, one after another.
    async fn claim_logins(&self, claims: &[LoginClaim], admit: &Admit<'_>) -> Result<Vec<Admission>, StoreError>;
    async fn prolong_login(&self, id: Uuid, until: Timestamp) -> Result<(), StoreError>;
    /// Gives places back. A refusal counts; an acceptance ends the count of its secret, and of no other.
    async fn end_logins(&self, ends: &[LoginEnd]) -> Result<(), StoreError>;

    /// Adds an entry about something that was refused, and changed nothing.
    async fn note_refusal(&self, account: &AccountId, entry: &Entry) -> Result<(), StoreError>;
    /// At most `limit` entries, the newest first, those before `before`.
    async fn journal(&self, account: &AccountId, before: Option<Uuid>, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// Writes something of the size of a message to the disk: whether messages can be taken over.
    async fn heartbeat(&self, at: Timestamp) -> Result<(), StoreError>;

    async fn canary(&self) -> Result<Option<Vec<u8>>, StoreError>;
    async fn set_canary(&self, sealed: &[u8]) -> Result<(), StoreError>;
}
