//! Server side. The secrets of profiles: sealed for their destination, and every login with one counted.

use std::sync::Arc;

use app::{
    error::AppError,
    profile::model::{Destination, ProfileId, Settings},
    session::AccountId,
};
use jiff::SignedDuration;
use secrecy::SecretString;

use super::ProfileService;
use crate::{
    credentials::{Binding, VaultError, binding::PROFILE_SECRET, logins::LoginGuard},
    portal::Relay,
    store::{ProfileRow, SealedSecret},
};

impl ProfileService {
    pub(super) fn seal(
        &self,
        account: &AccountId,
        id: ProfileId,
        settings: &Settings,
        secret: &SecretString,
    ) -> Result<SealedSecret, AppError> {
        let destination = settings.destination.canonical();
        let binding = Binding { account, profile: id, field: PROFILE_SECRET, destination: &destination };
        let sealed = self.vault.seal(secret, &binding).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            AppError::Unavailable
        })?;
        let login_key = self.vault.login_key(account, &settings.destination.host, &settings.destination.login, secret);
        Ok(SealedSecret { sealed, changed_at: (self.clock)(), login_key })
    }

    /// The secret of a profile; `None` when none is stored.
    pub(crate) fn open(&self, account: &AccountId, row: &ProfileRow) -> Result<Option<SecretString>, VaultError> {
        let destination = row.settings.destination.canonical();
        let binding = Binding { account, profile: row.id, field: PROFILE_SECRET, destination: &destination };
        row.secret.as_ref().map(|secret| self.vault.open(&secret.sealed, &binding)).transpose()
    }

    /// Counts the logins of a conversation with the secret of a profile.
    pub(crate) fn gate(&self, row: &ProfileRow) -> Arc<LoginGuard> {
        if row.grant.is_some() {
            // A refused token says nothing about a password.
            return self.logins.uncounted_gate();
        }
        // Without a secret there is no login to count.
        let key = row.secret.as_ref().map_or([0; 32], |secret| secret.login_key);
        self.logins.gate(key, None)
    }

    /// The same for a portal's relay. Its password cannot be entered again: it is retried after `again_after`.
    pub(crate) fn relay_gate(
        &self,
        portal: &str,
        relay: &Relay,
        again_after: SignedDuration,
    ) -> Option<Arc<LoginGuard>> {
        let account = AccountId { portal: portal.to_owned(), account: String::new() };
        let Destination { host, login, .. } = &relay.destination;
        let key = self.vault.login_key(&account, host, login, relay.secret.as_ref()?);
        Some(self.logins.gate(key, Some(again_after)))
    }
}
