//! Server side. A change of settings that a test proposed and the owner accepted.

use app::{
    diagnosis::fix::Fix,
    error::AppError,
    journal::model::{Action, Author},
    profile::{
        model::ProfileId,
        password::{InnerSpaces, clean},
    },
};
use secrecy::{ExposeSecret, SecretString};

use super::{ProfileService, fingerprint};

impl ProfileService {
    /// Applies a change that the last test proposed, if the locked row still has the settings it tested. The host
    /// stays, so the secret may stay too: it is sealed for the new destination in the same statement.
    pub(crate) async fn apply_fix(&self, by: Author<'_>, id: ProfileId, fix: &Fix) -> Result<(), AppError> {
        self.change(by, id, |row| {
            let settings = fix.apply(&row.settings);
            let same_host = row.settings.destination.host == settings.destination.host;
            let is_as_tested = row.tested.as_ref().is_some_and(|tested| tested.fingerprint == fingerprint(row));
            if !is_as_tested || !same_host || self.guard(&settings).is_err() {
                return Err(AppError::Conflict);
            }
            let (Ok(Some(secret)), Some(stored)) = (self.open(by.account, row), &row.secret) else {
                return Err(AppError::Conflict);
            };
            let cleaned = matches!(fix, Fix::Spaces { .. });
            let secret = if cleaned { without_blanks(&secret) } else { secret };
            let mut sealed = self.seal(by.account, id, &settings, &secret)?;
            if !cleaned {
                sealed.changed_at = stored.changed_at;
            }
            let action = Action::FixApplied { fix: fix.key().to_owned() };
            let after = if cleaned {
                row.with_settings(settings, Some(sealed))
            } else {
                row.with_secret_along(settings, sealed)
            };
            Ok(self.edit(by, after, action))
        })
        .await
    }
}

/// A secret without the blanks that look superfluous.
fn without_blanks(secret: &SecretString) -> SecretString {
    SecretString::from(clean(secret.expose_secret(), InnerSpaces::Significant).value)
}
