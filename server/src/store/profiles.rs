//! Server side. Profiles.

use app::{
    journal::model::Entry,
    profile::{
        model::ProfileId,
        port::{Successor, Written},
    },
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{Aside, Decide, EntryFor, ProfileRow, StoreError};

/// A profile in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileWithFailure {
    pub row: ProfileRow,
    /// The last message that failed, for a profile with failures.
    pub last_failure: Option<TestRun>,
}

/// A profile, and the account that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountProfile {
    pub account: AccountId,
    pub row: ProfileRow,
}

/// How a profile is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Which profile takes over if it is in use.
    pub successor: Successor,
    /// The revision that the caller saw; `None`: the caller saw none.
    pub revision: Option<u32>,
    /// Who may restore it for a while.
    pub aside: Aside,
}

/// Profiles.
#[async_trait]
pub trait ProfileStore: Send + Sync {
    /// At most `limit` profiles of the account after `after`, by id.
    async fn profiles(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError>;
    /// The same, with the last failed message of each profile that has failures.
    async fn profiles_with_failures(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileWithFailure>, StoreError>;
    async fn profile(&self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError>;
    /// Makes a profile. It is in use if its owner has none in use; the row's `in_use` is ignored. Returns whether it is
    /// in use; `None` when the account already has `most` profiles, or the same form has made one.
    async fn insert_profile(
        &self,
        account: &AccountId,
        profile: &ProfileRow,
        most: u32,
        entry: &Entry,
    ) -> Result<Option<bool>, StoreError>;
    /// Locks the row, and writes the change that `decide` returns together with the entry; `false` when there is no
    /// such profile. A stored secret is wiped in the same transaction when the destination changes, unless a new one is
    /// given.
    async fn change_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        decide: &mut Decide<'_>,
    ) -> Result<bool, StoreError>;
    /// Puts the profile in use instead of its owner's other ones, if it still has the expected revision.
    async fn put_in_use(
        &self,
        account: &AccountId,
        id: ProfileId,
        expected: Option<u32>,
        entry_for: &EntryFor<'_>,
    ) -> Result<Written, StoreError>;
    /// Deletes it with its secret and its tests, if it still has the expected revision. If it was in use, the
    /// successor, another profile of its owner, takes over. A successor that no longer exists counts as a stale
    /// revision.
    async fn delete_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        deletion: Deletion,
        entry_for: &EntryFor<'_>,
    ) -> Result<Written, StoreError>;
    /// The profile that this form made.
    async fn profile_made_by(&self, account: &AccountId, creation: &str) -> Result<Option<ProfileRow>, StoreError>;
    /// The owner's other profiles, the oldest first.
    async fn others_of_owner(&self, account: &AccountId, id: ProfileId) -> Result<Vec<ProfileRow>, StoreError>;
    /// The account's profiles in use, one for each owner, the oldest first.
    async fn profiles_in_use(&self, account: &AccountId) -> Result<Vec<ProfileRow>, StoreError>;
    /// The profile that sends the messages of this account and user.
    async fn profile_in_use(&self, account: &AccountId, user: Option<&str>) -> Result<Option<ProfileRow>, StoreError>;
    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError>;
    /// How many messages were accepted through a profile since then.
    async fn sent_since(&self, profile: ProfileId, since: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` profiles with the hourly check whose last check was before `before`. Those with a grant are among them
    /// while it works, also without an access token.
    async fn profiles_to_check(&self, before: Timestamp, limit: u32) -> Result<Vec<AccountProfile>, StoreError>;
}
