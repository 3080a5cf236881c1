//! Server side. Restoring a deleted profile. The account is locked.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;

use super::{Ended, profiles::ProfileStatements};
use crate::store::{EntryFor, RestoreRequest, Restored, StoreError, deleted::DeletedProfile};

/// The statements.
#[async_trait]
pub trait DeletedStatements: ProfileStatements {
    /// What this session may still restore, locked.
    async fn locked_deleted(
        &mut self,
        account: &AccountId,
        id: ProfileId,
        request: RestoreRequest<'_>,
    ) -> Result<Option<DeletedProfile>, StoreError>;
    /// Gives the profile back to its account. It is not in use.
    async fn take_back(&mut self, id: ProfileId) -> Result<(), StoreError>;
}

/// Restores a profile. One that was in use is in use again, unless the owner has chosen another one than its successor since.
pub async fn restore(
    database: &mut impl DeletedStatements,
    account: &AccountId,
    id: ProfileId,
    request: RestoreRequest<'_>,
    most: u32,
    entry_for: &EntryFor<'_>,
) -> Result<Ended<Restored>, StoreError> {
    let Some(deleted) = database.locked_deleted(account, id, request).await? else {
        return Ok(Ended::RollBack(Restored::Gone));
    };
    if !database.has_room(account, most).await? {
        return Ok(Ended::RollBack(Restored::Full));
    }
    database.take_back(id).await?;
    if deleted.was_in_use {
        if let Some(successor) = deleted.successor {
            database.set_in_use(account, successor, false).await?;
        }
        database.use_if_free(account, deleted.row.settings.user.as_deref(), id).await?;
    }
    database.note(account, &entry_for(&deleted.row)).await?;
    Ok(Ended::Commit(Restored::Done))
}
