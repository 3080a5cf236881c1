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
    /// The last message that failed; only of a profile that fails.
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
    /// Who takes over where it is in use.
    pub successor: Successor,
    /// The revision that somebody saw; `None`: they saw none.
    pub revision: Option<u32>,
    /// Who may restore it for a while.
    pub aside: Aside,
}

/// Profiles.
#[async_trait]
pub trait ProfileStore: Send + Sync {
    /// At most `limit` profiles of the account in the order of their ids, those after `after`.
    async fn profiles(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError>;
    /// The same, each that fails with the last message that failed.
    async fn profiles_with_failures(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileWithFailure>, StoreError>;
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
        entry_for: &EntryFor<'_>,
    ) -> Result<Written, StoreError>;
    /// Deletes it with its secret and its tests, where it still is of the expected revision. When it was in use, the successor,
    /// another profile of its owner, takes over; a successor that is not there any more is like another revision.
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
    /// The profile through which this account's, and user's, mail leaves.
    async fn profile_in_use(&self, account: &AccountId, user: Option<&str>) -> Result<Option<ProfileRow>, StoreError>;
    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError>;
    /// How many messages were accepted through a profile since then.
    async fn sent_since(&self, profile: ProfileId, since: Timestamp) -> Result<u64, StoreError>;
    /// At most `limit` profiles with the hourly check whose last one was before `before`.
    async fn profiles_to_check(&self, before: Timestamp, limit: u32) -> Result<Vec<AccountProfile>, StoreError>;
}
