//! Server side. Saving a form: changes a profile, or makes one.

use app::{
    error::AppError,
    journal::model::{Action, Author, differences},
    profile::{
        field::{Fault, Field, FieldError},
        model::{ProfileId, Settings},
        port::{SaveError, SecretChange, Target},
    },
    session::AccountId,
};
use secrecy::ExposeSecret;

use super::ProfileService;
use crate::store::{Change, ProfileRow, StoreError};

impl ProfileService {
    pub(super) async fn save_profile(
        &self,
        by: Author<'_>,
        target: Target,
        settings: Settings,
        secret: SecretChange,
    ) -> Result<ProfileId, SaveError> {
        if let Err(errors) = self.guard(&settings) {
            let typed = (settings.destination.host.as_str(), settings.destination.port.to_string());
            Self::note_blocked(self, by, (typed.0, &typed.1), &errors).await?;
            return Err(SaveError::Invalid(errors));
        }
        let Target { mut id, creation, mut revision } = target;
        if let (None, Some(creation)) = (id, &creation)
            && let Some(made) = self.store.profile_made_by(by.account, creation).await.map_err(StoreError::log)?
        {
            if self.is_same(by.account, &made, &settings, &secret) {
                return Ok(made.id);
            }
            // Another tab has the same form, filled from the kept draft, and was saved first.
            if revision.is_none() && matches!(secret, SecretChange::Replace(_)) {
                return Err(SaveError::Stale(made.id));
            }
            // A correction after Back: the form shows the profile that it made, as it was then, and keeps the password.
            (id, revision) = (Some(made.id), Some(revision.unwrap_or(1)));
        }
        let Some(id) = id else {
            let SecretChange::Replace(secret) = secret else {
                return Err(SaveError::Invalid(vec![FieldError::new(Field::Secret, Fault::Required)]));
            };
            let id = self.new_id();
            let secret = Some(self.seal(by.account, id, &settings, &secret)?);
            let row = ProfileRow { secret, creation: creation.clone(), ..ProfileRow::new(id, settings) };
            return match (self.insert(by, row, Action::ProfileAdded).await, creation) {
                // The same form was sent twice, and the other request has just made the profile.
                (Err(AppError::TooManyProfiles { most }), Some(creation)) => {
                    let made = self.store.profile_made_by(by.account, &creation).await.map_err(StoreError::log)?;
                    made.map(|made| made.id).ok_or(SaveError::App(AppError::TooManyProfiles { most }))
                }
                (inserted, _) => Ok(inserted.map(|()| id)?),
            };
        };
        self.change(by, id, |before| {
            if revision.is_some_and(|shown| shown != before.revision) {
                return Err(SaveError::Stale(id));
            }
            self.edited(by, before, settings.clone(), &secret)
        })
        .await?;
        Ok(id)
    }

    /// Whether saving would change nothing: the same settings, and no other secret.
    fn is_same(&self, account: &AccountId, row: &ProfileRow, settings: &Settings, secret: &SecretChange) -> bool {
        let mut settings = settings.clone();
        settings.destination.mechanism = row.settings.destination.mechanism;
        let same_secret = match secret {
            SecretChange::Keep => true,
            SecretChange::Replace(typed) => self
                .open(account, row)
                .is_ok_and(|stored| stored.is_some_and(|stored| stored.expose_secret() == typed.expose_secret())),
        };
        settings == row.settings && same_secret
    }

    /// Applies the form to the locked row.
    fn edited(
        &self,
        by: Author<'_>,
        before: &ProfileRow,
        mut settings: Settings,
        secret: &SecretChange,
    ) -> Result<Change, SaveError> {
        if let (Some(grant), SecretChange::Keep) = (&before.grant, secret) {
            self.keep_with_grant(by, &before.settings, &mut settings, &grant.client);
        }
        if matches!(secret, SecretChange::Replace(_)) && before.grant.is_some() {
            settings.destination.mechanism = None;
        } else if before.settings.destination.is_same_server(&settings.destination) {
            // The form does not show the mechanism; it was found to work there.
            settings.destination.mechanism = before.settings.destination.mechanism;
        }
        let secret = match secret {
            SecretChange::Replace(secret) => Some(self.seal(by.account, before.id, &settings, secret)?),
            SecretChange::Keep => {
                let moved = before.settings.destination.canonical() != settings.destination.canonical();
                let fault = match (before.secret.is_some(), moved) {
                    _ if before.grant.is_some() => None,
                    (true, true) => Some(Fault::SecretForNewServer),
                    (false, _) => Some(Fault::Required),
                    (true, false) => None,
                };
                if let Some(fault) = fault {
                    return Err(SaveError::Invalid(vec![FieldError::new(Field::Secret, fault)]));
                }
                None
            }
        };
        let fields = differences(&before.settings, &settings, secret.is_some());
        if fields.is_empty() {
            return Ok(Change::StartOver);
        }
        let after = match (secret, &before.grant) {
            (Some(secret), Some(_)) => before.with_password(settings, secret),
            (secret, _) => before.with_settings(settings, secret),
        };
        Ok(self.edit(by, after, Action::ProfileChanged { fields }))
    }

    /// A grant's server is not in the form. Where the provider has shared mailboxes, the login is.
    fn keep_with_grant(&self, by: Author<'_>, before: &Settings, settings: &mut Settings, client: &str) {
        let login = settings.destination.login.clone();
        settings.destination = before.destination.clone();
        settings.preset.clone_from(&before.preset);
        let client = self.tokens.as_ref().and_then(|tokens| tokens.clients().get(&by.account.portal, client));
        if client.is_some_and(|client| client.shared_mailboxes) {
            settings.destination.login = login;
        }
    }
}
