//! Server side. What deleting and restoring need from the server.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::{
    model::{Profile, ProfileId},
    port::Successor,
};
use crate::{error::AppError, session::Session};

/// How long it can be restored. The style sheet hides the button after the same time.
pub const UNDO_LASTS: SignedDuration = SignedDuration::from_secs(10);

/// Deleting and restoring.
#[async_trait]
pub trait Deletions: Send + Sync {
    /// Deletes a profile if it still has this revision. If it was in use, the successor replaces it. The deleted
    /// profile is kept for [`UNDO_LASTS`], with its secret and its tests.
    async fn delete(
        &self,
        by: &Session,
        id: ProfileId,
        successor: Successor,
        revision: Option<u32>,
    ) -> Result<(), AppError>;

    /// A deleted profile that this session can still restore.
    async fn deleted(&self, by: &Session, id: ProfileId) -> Result<Option<Profile>, AppError>;

    /// Restores it, and puts it in use again if no other profile was put in use meanwhile. [`AppError::NotFound`]: it
    /// is too late; [`AppError::TooManyProfiles`]: others were added meanwhile.
    async fn restore(&self, by: &Session, id: ProfileId) -> Result<(), AppError>;
}
