//! Server side. The one way to change a profile: decide on the locked row, write it with its entry in the history, and
//! notify the outbox.

use app::{
    error::AppError,
    journal::model::{Action, Author, Entry, named},
    profile::model::{ProfileId, Settings},
};

use super::{ProfileService, found};
use crate::store::{Change, ProfileRow, StoreError};

impl ProfileService {
    /// An entry of the history about a profile with these settings, before or after the change.
    pub(crate) fn entry(&self, by: Author<'_>, action: Action, settings: Option<&Settings>) -> Entry {
        Entry {
            id: self.new_id().0,
            at: (self.clock)(),
            person: by.person.id.clone(),
            person_name: by.person.name.clone(),
            profile: settings.map(named),
            action,
        }
    }

    /// The entry about the row that the store has locked.
    pub(crate) fn entry_for(&self, by: Author<'_>, action: Action) -> impl Fn(&ProfileRow) -> Entry + Send + Sync {
        move |row| self.entry(by, action.clone(), Some(&row.settings))
    }

    pub(super) fn edit(&self, by: Author<'_>, after: ProfileRow, action: Action) -> Change {
        let entry = self.entry(by, action, Some(&after.settings));
        Change::Edit(Box::new(after), entry)
    }

    /// Decides on the locked row, writes the change, and notifies the outbox. If `decide` refuses, nothing changes.
    pub(super) async fn change<E: From<AppError> + Send>(
        &self,
        by: Author<'_>,
        id: ProfileId,
        mut decide: impl FnMut(&ProfileRow) -> Result<Change, E> + Send,
    ) -> Result<(), E> {
        let mut outcome = Ok(None);
        let there = self
            .store
            .change_profile(by.account, id, &mut |before| match decide(before) {
                Ok(change) => {
                    let owner = |row: &ProfileRow| row.settings.user.clone();
                    outcome = Ok(match &change {
                        Change::None => None,
                        Change::StartOver => Some((before.in_use, false)),
                        Change::Edit(after, _) => Some((before.in_use, owner(before) != owner(after))),
                    });
                    change
                }
                Err(error) => {
                    outcome = Err(error);
                    Change::None
                }
            })
            .await
            .map_err(StoreError::log)?;
        found(there)?;
        match outcome? {
            None => {}
            Some((in_use, false)) => self.changed_profile(by.account, id, in_use).await,
            // It has another owner now, so other profiles may be in use.
            Some((_, true)) => {
                self.changed_profile(by.account, id, false).await;
                self.changed(by.account).await;
            }
        }
        Ok(())
    }

    pub(super) async fn insert(&self, by: Author<'_>, row: ProfileRow, action: Action) -> Result<(), AppError> {
        let entry = self.entry(by, action, Some(&row.settings));
        let made = self.store.insert_profile(by.account, &row, self.most, &entry).await.map_err(StoreError::log)?;
        let Some(in_use) = made else { return Err(AppError::TooManyProfiles { most: self.most }) };
        self.changed_profile(by.account, row.id, in_use).await;
        Ok(())
    }
}
