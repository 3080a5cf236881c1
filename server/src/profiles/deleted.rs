//! Server side. Deleting a profile, and restoring it.

use app::{
    error::AppError,
    journal::model::Action,
    profile::{
        deletions::{Deletions, UNDO_LASTS},
        model::{Profile, ProfileId},
        port::Successor,
    },
    session::Session,
};
use async_trait::async_trait;

use super::{ProfileService, written};
use crate::store::{Aside, Deletion, RestoreRequest, Restored, StoreError};

#[async_trait]
impl Deletions for ProfileService {
    async fn delete(
        &self,
        by: &Session,
        id: ProfileId,
        successor: Successor,
        revision: Option<u32>,
    ) -> Result<(), AppError> {
        let entry_for = self.entry_for(by.author(), Action::ProfileDeleted);
        let aside = Aside { session: by.key, until: (self.clock)() + UNDO_LASTS };
        let deletion = Deletion { successor, revision, aside };
        written(self.store.delete_profile(&by.account, id, deletion, &entry_for).await.map_err(StoreError::log)?)?;
        self.changed_profile(&by.account, id, false).await;
        // The successor sends from now on.
        self.changed(&by.account).await;
        Ok(())
    }

    async fn deleted(&self, by: &Session, id: ProfileId) -> Result<Option<Profile>, AppError> {
        let request = RestoreRequest { session: &by.key, at: (self.clock)() };
        let row = self.store.deleted_profile(&by.account, id, request).await.map_err(StoreError::log)?;
        Ok(row.map(|row| self.shown(&by.account, &row)))
    }

    async fn restore(&self, by: &Session, id: ProfileId) -> Result<(), AppError> {
        let entry_for = self.entry_for(by.author(), Action::ProfileRestored);
        let request = RestoreRequest { session: &by.key, at: (self.clock)() };
        let restored = self.store.restore_profile(&by.account, id, request, self.most, &entry_for).await;
        match restored.map_err(StoreError::log)? {
            Restored::Done => {}
            Restored::Gone => return Err(AppError::NotFound),
            Restored::Full => return Err(AppError::TooManyProfiles { most: self.most }),
        }
        self.changed_profile(&by.account, id, true).await;
        self.changed(&by.account).await;
        Ok(())
    }
}
