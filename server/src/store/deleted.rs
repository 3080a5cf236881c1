//! Server side. Profiles that were deleted a moment ago. Until its time is over such a row is kept aside: it belongs to no portal,
//! so nothing else finds it, and its secret and its tests stay with it.

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

/// The outcome of a restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Done,
    /// It is too late, or another session asks.
    Gone,
    /// The account has as many profiles as it may have.
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
        session: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<ProfileRow>, StoreError>;
    /// Restores it with its secret and its tests, unless the account has `most` profiles by now. One that was in use is so again,
    /// unless somebody has put another one in use meanwhile than the one that took over.
    async fn restore_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        (session, now): (&[u8; 32], Timestamp),
        most: u32,
        entry_for: &EntryFor<'_>,
    ) -> Result<Restored, StoreError>;
    /// Deletes for good those whose time is over.
    async fn forget_deleted(&self, now: Timestamp) -> Result<u64, StoreError>;
}
