//! Server side. A change of settings that a test proposed and the owner accepted.

use app::{
    diagnosis::fix::Fix,
    error::AppError,
    profile::password::{InnerSpaces, clean},
    session::AccountId,
};
use secrecy::{ExposeSecret, SecretString};

use super::{ProfileBook, found, unavailable};
use crate::store::ProfileRow;

impl ProfileBook {
    /// Applies the change. The host stays, so the secret may come along: it is
    /// sealed for the new destination in the same statement.
    pub(crate) async fn mend(&self, account: &AccountId, row: &ProfileRow, fix: &Fix) -> Result<(), AppError> {
        let settings = fix.apply(&row.settings);
        let same_host = row.settings.destination.host == settings.destination.host;
        if !same_host || self.guard(account, &settings).is_err() {
            return Err(AppError::Conflict);
        }
        let (Ok(Some(secret)), Some(stored)) = (self.open(account, row), &row.secret) else {
            return Err(AppError::Conflict);
        };
        let cleaned = matches!(fix, Fix::Spaces { .. });
        let secret = if cleaned { without_blanks(&secret) } else { secret };
        let mut sealed = self.seal(account, row.id, &settings, &secret)?;
        if !cleaned {
            sealed.changed_at = stored.changed_at;
        }
        found(self.store.update_profile(account, row.id, &settings, Some(&sealed)).await.map_err(unavailable)?)
    }
}

/// A secret without what looks superfluous.
fn without_blanks(secret: &SecretString) -> SecretString {
    SecretString::from(clean(secret.expose_secret(), InnerSpaces::Significant).value)
}
