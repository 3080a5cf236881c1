//! Server side. Profiles that were deleted a moment ago. Until their time is over, their rows are set aside: they belong to no
//! portal, so nothing else finds them, and their secrets and tests stay with them.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{EntryFor, ProfileRow, StoreError};

/// Who may restore a deleted profile, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aside {
    pub session: [u8; 32],
    pub until: Timestamp,
}

/// Which session asks for a deleted profile, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreRequest<'a> {
    pub session: &'a [u8; 32],
    pub at: Timestamp,
}

/// A profile that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedProfile {
    pub row: ProfileRow,
    /// Whether it was in use when it was deleted.
    pub was_in_use: bool,
    /// Which profile replaced it.
    pub successor: Option<ProfileId>,
}

/// The outcome of a restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Done,
    /// It is too late, or another session asks.
    Gone,
    /// The account already has the most profiles.
    Full,
}

/// Profiles that were deleted a moment ago.
#[async_trait]
pub trait DeletedStore: Send + Sync {
    /// A deleted profile of the account that this session may still restore.
    async fn deleted_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
    ) -> Result<Option<ProfileRow>, StoreError>;
    /// Restores it with its secret and its tests, unless the account has `most` profiles by now. One that was in use is in use
    /// again, unless the owner has chosen another one than its successor since.
    async fn restore_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
        most: u32,
        entry_for: &EntryFor<'_>,
    ) -> Result<Restored, StoreError>;
    /// Deletes those that can no longer be restored.
    async fn forget_deleted(&self, now: Timestamp) -> Result<u64, StoreError>;
}
