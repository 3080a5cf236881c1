//! Server side. The use cases of profiles, over the store and the vault. Implements the ports of `app`.

use std::sync::{Arc, OnceLock, Weak};

use app::{
    error::AppError,
    profile::{
        encoding::Encoding,
        field::{Fault, Field, FieldError},
        model::{Profile, ProfileId, SecretState, Settings, TestState},
        password::{InnerSpaces, clean},
        port::{DestinationPolicy, PAGE_SIZE, Profiles, SaveError, SecretChange},
        sending::{SendState, SendingOptions},
    },
    services::Clock,
    session::AccountId,
    test_run::{port::TestRun, report::Verdict},
};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    outbox::Outbox,
    smtp::{Policy, Refusal},
    store::{ProfileRow, SealedSecret, Store, StoreError},
    vault::{Binding, Vault, VaultError},
};

mod account;
mod mend;
#[cfg(test)]
mod tests;

/// The field that a profile's secret is sealed for.
pub(crate) const SECRET: &str = "secret";

/// Profiles, sending modes and drafts of every account.
#[derive(Clone)]
pub struct ProfileBook {
    store: Arc<dyn Store>,
    vault: Vault,
    policy: Policy,
    clock: Clock,
    /// Hears of every change, so that nothing is sent with what was there before.
    listener: Arc<OnceLock<Weak<Outbox>>>,
}

/// A store's failure is logged here once; the page only says that the service does not answer.
pub(crate) fn unavailable(error: StoreError) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
    AppError::Unavailable
}

/// `false` from the store is "not found".
fn found(done: bool) -> Result<(), AppError> {
    if done { Ok(()) } else { Err(AppError::NotFound) }
}

impl ProfileBook {
    pub fn new(store: Arc<dyn Store>, vault: Vault, policy: Policy, clock: Clock) -> Self {
        Self { store, vault, policy, clock, listener: Arc::default() }
    }

    /// From now on the outbox hears of every change.
    pub fn tell_changes_to(&self, outbox: &Arc<Outbox>) {
        let _ = self.listener.set(Arc::downgrade(outbox));
    }

    /// Something of the account was changed.
    pub(crate) async fn changed(&self, account: &AccountId) {
        if let Some(outbox) = self.listener.get().and_then(Weak::upgrade) {
            outbox.changed(account).await;
        }
    }

    fn seal(
        &self,
        account: &AccountId,
        id: ProfileId,
        settings: &Settings,
        secret: &SecretString,
    ) -> Result<SealedSecret, AppError> {
        let destination = settings.destination.canonical();
        let binding = Binding { account, profile: id, field: SECRET, destination: &destination };
        let sealed = self.vault.seal(secret, &binding).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            AppError::Unavailable
        })?;
        Ok(SealedSecret { sealed, changed_at: (self.clock)() })
    }

    /// The secret of a profile; `None` when none is stored.
    pub(crate) fn open(&self, account: &AccountId, row: &ProfileRow) -> Result<Option<SecretString>, VaultError> {
        let destination = row.settings.destination.canonical();
        let binding = Binding { account, profile: row.id, field: SECRET, destination: &destination };
        row.secret.as_ref().map(|secret| self.vault.open(&secret.sealed, &binding)).transpose()
    }

    /// What the pages get to see of a row.
    pub(crate) fn shown(&self, account: &AccountId, row: &ProfileRow) -> Profile {
        let secret = match (&row.secret, self.open(account, row)) {
            (Some(secret), Ok(_)) => SecretState::Stored { changed_at: secret.changed_at },
            (None, _) => SecretState::Missing,
            (Some(_), Err(error)) => {
                tracing::warn!(profile = %row.id, error = &error as &dyn std::error::Error, "secret unreadable");
                SecretState::Unreadable
            }
        };
        let test = match &row.tested {
            None => TestState::Never,
            Some(tested) if tested.fingerprint != fingerprint(row) => TestState::Changed,
            Some(tested) => match tested.verdict {
                Verdict::Accepted | Verdict::DryRunOk | Verdict::DeliveryUnknown if tested.received_at.is_some() => {
                    TestState::Received { at: tested.received_at.unwrap_or(tested.at) }
                }
                Verdict::Accepted | Verdict::DryRunOk => TestState::Accepted { at: tested.at },
                Verdict::DeliveryUnknown => TestState::DeliveryUnknown { at: tested.at },
                Verdict::Failed => TestState::Failed { at: tested.at, cause: tested.cause },
            },
        };
        let ProfileRow { id, encoding, in_use, sending, health, .. } = *row;
        let current = row.signed_fingerprint == Some(fingerprint(row));
        let sends = if current { health.state() } else { SendState::Unknown };
        Profile { id, settings: row.settings.clone(), encoding, in_use, secret, test, sending, health, sends }
    }

    /// A new id. Ids of the same millisecond still sort by age.
    fn new_id(&self) -> ProfileId {
        ProfileId(crate::ids::at((self.clock)()))
    }

    async fn row(&self, account: &AccountId, id: ProfileId) -> Result<ProfileRow, AppError> {
        self.store.profile(account, id).await.map_err(unavailable)?.ok_or(AppError::NotFound)
    }

    /// What the guard says of the destination, once more than the form: this is the check that counts.
    fn guard(&self, account: &AccountId, settings: &Settings) -> Result<(), Vec<FieldError>> {
        let destination = &settings.destination;
        let mut errors = Vec::new();
        if let Err(fault) = self.host(&destination.host) {
            errors.push(FieldError::new(Field::Host, fault));
        } else if destination.security == app::profile::security::Security::None && !self.unencrypted(&destination.host)
        {
            errors.push(FieldError::new(Field::Security, Fault::Unencrypted));
        }
        if self.port(destination.port).is_err() {
            errors.push(FieldError::new(Field::Port, Fault::PortNotAllowed));
        }
        if errors.is_empty() {
            return Ok(());
        }
        tracing::warn!(portal = account.portal, account = account.account, "blocked_destination");
        Err(errors)
    }
}

/// What a test was made with: another fingerprint means that the profile is to be tested again.
pub(crate) fn fingerprint(row: &ProfileRow) -> [u8; 32] {
    let Settings { preset: _, user: _, destination, sender_name, sender_address, reply_to } = &row.settings;
    let reply_to = reply_to.as_ref().map(app::profile::address::EmailAddress::as_str).unwrap_or_default();
    let changed_at = row.secret.as_ref().map(|secret| secret.changed_at.as_millisecond()).unwrap_or_default();
    let parts = [
        destination.canonical(),
        sender_name.clone(),
        sender_address.to_string(),
        reply_to.to_owned(),
        row.encoding.as_str().to_owned(),
        changed_at.to_string(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl DestinationPolicy for ProfileBook {
    fn host(&self, typed: &str) -> Result<String, Fault> {
        match self.policy.check_host(typed) {
            Ok(host) => Ok(host.as_str().to_owned()),
            Err(Refusal::HostInvalid) => Err(Fault::HostInvalid),
            Err(Refusal::HostNotAllowed | Refusal::PortNotAllowed) => Err(Fault::HostNotAllowed),
        }
    }

    fn port(&self, port: u16) -> Result<u16, Fault> {
        self.policy.check_port(port).map(|()| port).map_err(|_| Fault::PortNotAllowed)
    }

    fn unencrypted(&self, host: &str) -> bool {
        self.policy.check_host(host).is_ok_and(|host| self.policy.plaintext_allowed(&host))
    }
}

#[async_trait]
impl Profiles for ProfileBook {
    fn policy(&self) -> &dyn DestinationPolicy {
        self
    }

    async fn page(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Profile>, AppError> {
        let rows = self.store.profiles(account, after, PAGE_SIZE).await.map_err(unavailable)?;
        Ok(rows.iter().map(|row| self.shown(account, row)).collect())
    }

    async fn get(&self, account: &AccountId, id: ProfileId) -> Result<Option<Profile>, AppError> {
        let row = self.store.profile(account, id).await.map_err(unavailable)?;
        Ok(row.map(|row| self.shown(account, &row)))
    }

    async fn save(
        &self,
        account: &AccountId,
        id: Option<ProfileId>,
        settings: Settings,
        secret: SecretChange,
    ) -> Result<ProfileId, SaveError> {
        self.guard(account, &settings).map_err(SaveError::Invalid)?;
        let Some(id) = id else {
            let SecretChange::Replace(secret) = secret else {
                return Err(SaveError::Invalid(vec![FieldError::new(Field::Secret, Fault::Required)]));
            };
            let id = self.new_id();
            let secret = Some(self.seal(account, id, &settings, &secret)?);
            self.insert(account, id, settings, Encoding::default(), secret).await?;
            return Ok(id);
        };
        let before = self.row(account, id).await?;
        let mut settings = settings;
        if before.settings.destination.is_same_server(&settings.destination) {
            // The form does not show it; it was found to work there.
            settings.destination.mechanism = before.settings.destination.mechanism;
        }
        let secret = match secret {
            SecretChange::Replace(secret) => Some(self.seal(account, id, &settings, &secret)?),
            SecretChange::Keep => {
                let moved = before.settings.destination.canonical() != settings.destination.canonical();
                let fault = match (before.secret.is_some(), moved) {
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
        found(self.store.update_profile(account, id, &settings, secret.as_ref()).await.map_err(unavailable)?)?;
        self.changed(account).await;
        Ok(id)
    }

    async fn set_encoding(&self, account: &AccountId, id: ProfileId, encoding: Encoding) -> Result<(), AppError> {
        found(self.store.set_encoding(account, id, encoding).await.map_err(unavailable)?)?;
        self.changed(account).await;
        Ok(())
    }

    async fn clean_secret(&self, account: &AccountId, id: ProfileId) -> Result<u32, AppError> {
        let row = self.row(account, id).await?;
        let Ok(Some(secret)) = self.open(account, &row) else {
            return Err(AppError::NotFound);
        };
        let cleaned = clean(secret.expose_secret(), InnerSpaces::Significant);
        let removed = cleaned.removed();
        if removed > 0 && !cleaned.value.is_empty() {
            let sealed = self.seal(account, id, &row.settings, &SecretString::from(cleaned.value))?;
            let updated = self.store.update_profile(account, id, &row.settings, Some(&sealed)).await;
            found(updated.map_err(unavailable)?)?;
            self.changed(account).await;
        }
        Ok(removed)
    }

    async fn duplicate(&self, account: &AccountId, id: ProfileId) -> Result<ProfileId, AppError> {
        let row = self.row(account, id).await?;
        let copy = self.new_id();
        self.insert(account, copy, row.settings, row.encoding, None).await?;
        Ok(copy)
    }

    async fn set_sending(&self, account: &AccountId, id: ProfileId, options: SendingOptions) -> Result<(), AppError> {
        found(self.store.set_sending_options(account, id, &options).await.map_err(unavailable)?)?;
        self.changed(account).await;
        Ok(())
    }

    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, AppError> {
        self.store.last_failure(account, id).await.map_err(unavailable)
    }

    async fn put_in_use(&self, account: &AccountId, id: ProfileId) -> Result<(), AppError> {
        found(self.store.put_in_use(account, id).await.map_err(unavailable)?)?;
        self.changed(account).await;
        Ok(())
    }

    async fn delete(&self, account: &AccountId, id: ProfileId) -> Result<(), AppError> {
        found(self.store.delete_profile(account, id).await.map_err(unavailable)?)?;
        self.changed(account).await;
        Ok(())
    }

    async fn successor(&self, account: &AccountId, id: ProfileId) -> Result<Option<Profile>, AppError> {
        let row = self.store.successor(account, id).await.map_err(unavailable)?;
        Ok(row.map(|row| self.shown(account, &row)))
    }

    async fn any_ready(&self, account: &AccountId) -> Result<bool, AppError> {
        self.store.any_ready(account).await.map_err(unavailable)
    }
}

impl ProfileBook {
    async fn insert(
        &self,
        account: &AccountId,
        id: ProfileId,
        settings: Settings,
        encoding: Encoding,
        secret: Option<SealedSecret>,
    ) -> Result<(), AppError> {
        let row = ProfileRow { encoding, secret, ..ProfileRow::new(id, settings) };
        self.store.insert_profile(account, &row).await.map_err(unavailable)?;
        self.changed(account).await;
        Ok(())
    }
}
