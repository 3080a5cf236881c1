//! Server side. The use cases of profiles, over the store and the vault. Implements the ports of `app`.

use std::sync::{Arc, OnceLock, Weak};

use app::{
    error::AppError,
    journal::model::{Action, Author, Entry, differences, named},
    profile::{
        encoding::Encoding,
        field::{Fault, Field, FieldError},
        model::{Destination, Profile, ProfileId, SecretState, Settings, TestState},
        password::{InnerSpaces, clean},
        port::{
            DestinationPolicy, Heir, Listed, PAGE_SIZE, Profiles, SaveError, SecretChange, Shown, Standing, Target,
            Written,
        },
        sending::{SendState, SendingOptions},
    },
    services::Clock,
    session::AccountId,
    test_run::{port::TestRun, report::Verdict},
};
use async_trait::async_trait;
use jiff::SignedDuration;
use mail::net::{Policy, Refusal};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    logins::{Counted, Logins},
    metrics::Metrics,
    portal_auth::Relay,
    store::{Change, ProfileRow, SealedSecret, Store, StoreError, standing},
    vault::{Binding, Vault, VaultError},
};

mod account;
mod apply_fix;
mod blocked;
#[cfg(test)]
pub(crate) mod tests;

/// Profiles that an account may have, where the operator does not say otherwise.
pub const MOST_PROFILES: u32 = 100;
/// The field that a profile's secret is sealed for.
pub(crate) const SECRET: &str = "secret";

/// Profiles, sending modes and drafts of every account.
#[derive(Clone)]
pub struct ProfileService {
    store: Arc<dyn Store>,
    vault: Vault,
    policy: Policy,
    clock: Clock,
    /// Counts the logins with every secret.
    logins: Logins,
    /// Profiles that an account may have.
    most: u32,
    blocked: blocked::Blocked,
    /// Hears of every change, so that nothing is sent with what was there before.
    listener: Arc<OnceLock<Weak<dyn ChangeListener>>>,
}

/// Hears of changes of profiles.
#[async_trait]
pub trait ChangeListener: Send + Sync {
    /// The account's mail goes another way.
    async fn changed(&self, account: &AccountId);
    /// One profile was changed; `in_use`: mail goes through it.
    async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool);
    /// Whether the account's portal has a server of its own.
    fn has_relay(&self, account: &AccountId) -> bool;
}

/// A store's failure is logged here once; the page only says that the service is unavailable.
pub(crate) fn unavailable(error: StoreError) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
    AppError::Unavailable
}

/// `false` from the store is "not found".
fn found(done: bool) -> Result<(), AppError> {
    if done { Ok(()) } else { Err(AppError::NotFound) }
}

fn written(written: Written) -> Result<(), AppError> {
    match written {
        Written::Done => Ok(()),
        Written::Gone => Err(AppError::NotFound),
        Written::Stale => Err(AppError::Stale),
    }
}

impl ProfileService {
    pub fn new(store: Arc<dyn Store>, vault: Vault, policy: Policy, clock: Clock) -> Self {
        let logins = Logins::new(&store, clock.clone());
        let (most, blocked) = (MOST_PROFILES, blocked::Blocked::default());
        Self { store, vault, policy, clock, logins, most, blocked, listener: Arc::default() }
    }

    /// The same book, with so many profiles for an account, and its metrics.
    #[must_use]
    pub fn with(mut self, most: u32, metrics: &Arc<Metrics>) -> Self {
        self.most = most;
        self.blocked.metrics = Some(metrics.clone());
        self
    }

    /// From now on `listener` hears of every change.
    pub fn tell_changes_to<L: ChangeListener + 'static>(&self, listener: &Arc<L>) {
        let listener: Weak<dyn ChangeListener> = Arc::downgrade(listener) as _;
        let _ = self.listener.set(listener);
    }

    fn listener(&self) -> Option<Arc<dyn ChangeListener>> {
        self.listener.get().and_then(Weak::upgrade)
    }

    /// The account's mail goes another way: its mode was changed, or which profile is in use.
    pub(crate) async fn changed(&self, account: &AccountId) {
        if let Some(listener) = self.listener() {
            listener.changed(account).await;
        }
    }

    /// One profile was changed. What waits is only woken where it goes through that one.
    pub(crate) async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool) {
        if let Some(listener) = self.listener() {
            listener.changed_profile(account, id, in_use).await;
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
        let login_key = self.vault.login_key(account, &settings.destination.host, &settings.destination.login, secret);
        Ok(SealedSecret { sealed, changed_at: (self.clock)(), login_key })
    }

    /// The secret of a profile; `None` when none is stored.
    pub(crate) fn open(&self, account: &AccountId, row: &ProfileRow) -> Result<Option<SecretString>, VaultError> {
        let destination = row.settings.destination.canonical();
        let binding = Binding { account, profile: row.id, field: SECRET, destination: &destination };
        row.secret.as_ref().map(|secret| self.vault.open(&secret.sealed, &binding)).transpose()
    }

    /// Counts the logins of a conversation with the secret of a profile.
    pub(crate) fn gate(&self, row: &ProfileRow) -> Arc<Counted> {
        // Without a secret there is no login to count.
        let key = row.secret.as_ref().map_or([0; 32], |secret| secret.login_key);
        self.logins.gate(key, None)
    }

    /// The same for the relay of a portal. Nobody types its password anew: it is tried once more after `again_after`.
    pub(crate) fn relay_gate(&self, portal: &str, relay: &Relay, again_after: SignedDuration) -> Option<Arc<Counted>> {
        let account = AccountId { portal: portal.to_owned(), account: String::new() };
        let Destination { host, login, .. } = &relay.destination;
        let key = self.vault.login_key(&account, host, login, relay.secret.as_ref()?);
        Some(self.logins.gate(key, Some(again_after)))
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
        let ProfileRow { id, encoding, in_use, sending, health, revision, .. } = *row;
        let current = row.signed_fingerprint == Some(fingerprint(row));
        let sends = if current { health.state() } else { SendState::Unknown };
        Profile { id, settings: row.settings.clone(), encoding, in_use, secret, test, sending, health, sends, revision }
    }

    /// A new id. Ids of the same millisecond still sort by age.
    fn new_id(&self) -> ProfileId {
        ProfileId(crate::ids::at((self.clock)()))
    }

    async fn row(&self, account: &AccountId, id: ProfileId) -> Result<ProfileRow, AppError> {
        self.store.profile(account, id).await.map_err(unavailable)?.ok_or(AppError::NotFound)
    }

    /// What the guard says of the destination, once more than the form: this is the check that counts.
    fn guard(&self, settings: &Settings) -> Result<(), Vec<FieldError>> {
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
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// What a test was made with: another fingerprint means that the profile is to be tested again.
pub(crate) fn fingerprint(row: &ProfileRow) -> [u8; 32] {
    row.fingerprint()
}

impl DestinationPolicy for ProfileService {
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
impl Profiles for ProfileService {
    fn policy(&self) -> &dyn DestinationPolicy {
        self
    }

    async fn page(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Profile>, AppError> {
        let rows = self.store.profiles(account, after, PAGE_SIZE).await.map_err(unavailable)?;
        Ok(rows.iter().map(|row| self.shown(account, row)).collect())
    }

    async fn list(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Listed>, AppError> {
        let rows = self.store.listed(account, after, PAGE_SIZE).await.map_err(unavailable)?;
        let listed = rows.into_iter().map(|(row, failure)| {
            let profile = self.shown(account, &row);
            // Whatever failed before the settings were changed does not matter any more.
            let failure =
                failure.filter(|_| matches!(profile.sends, SendState::Broken { .. } | SendState::Failing { .. }));
            Listed { profile, failure }
        });
        Ok(listed.collect())
    }

    async fn get(&self, account: &AccountId, id: ProfileId) -> Result<Option<Profile>, AppError> {
        let row = self.store.profile(account, id).await.map_err(unavailable)?;
        Ok(row.map(|row| self.shown(account, &row)))
    }

    async fn save(
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
            && let Some(made) = self.store.profile_made_by(by.account, creation).await.map_err(unavailable)?
        {
            if self.is_same(by.account, &made, &settings, &secret) {
                return Ok(made.id);
            }
            // A form that makes a profile shows the one it made as it was then.
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
                // The same form, pressed twice, has made one in this moment.
                (Err(AppError::TooManyProfiles { most }), Some(creation)) => {
                    let made = self.store.profile_made_by(by.account, &creation).await.map_err(unavailable)?;
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

    async fn note_blocked(
        &self,
        by: Author<'_>,
        destination: (&str, &str),
        errors: &[FieldError],
    ) -> Result<(), AppError> {
        Self::note_blocked(self, by, destination, errors).await
    }

    async fn made_by(&self, account: &AccountId, creation: &str) -> Result<Option<Profile>, AppError> {
        let row = self.store.profile_made_by(account, creation).await.map_err(unavailable)?;
        Ok(row.map(|row| self.shown(account, &row)))
    }

    async fn set_encoding(
        &self,
        by: Author<'_>,
        id: ProfileId,
        encoding: Encoding,
        shown: Shown<Encoding>,
    ) -> Result<(), AppError> {
        self.change(by, id, |before| {
            if before.encoding == encoding {
                return Ok(Change::None);
            }
            if !shown.is_still(&before.encoding, before.revision) {
                return Err(AppError::Stale);
            }
            let action = Action::ProfileChanged { fields: vec![Field::Encoding] };
            Ok(self.edit(by, ProfileRow { encoding, ..before.clone() }, action))
        })
        .await
    }

    async fn clean_secret(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<u32, AppError> {
        let mut removed = 0;
        self.change(by, id, |before| {
            if revision.is_some_and(|shown| shown != before.revision) {
                return Err(AppError::Stale);
            }
            let Ok(Some(secret)) = self.open(by.account, before) else { return Err(AppError::NotFound) };
            let cleaned = clean(secret.expose_secret(), InnerSpaces::Significant);
            removed = cleaned.removed();
            if removed == 0 || cleaned.value.is_empty() {
                return Ok(Change::None);
            }
            let cleaned = SecretString::from(cleaned.value);
            let sealed = self.seal(by.account, id, &before.settings, &cleaned)?;
            Ok(self.edit(by, before.with_secret(sealed), Action::SecretCleaned))
        })
        .await?;
        Ok(removed)
    }

    async fn duplicate(&self, by: Author<'_>, id: ProfileId) -> Result<ProfileId, AppError> {
        let row = self.row(by.account, id).await?;
        let copy = self.new_id();
        let row = ProfileRow { encoding: row.encoding, ..ProfileRow::new(copy, row.settings) };
        self.insert(by, row, Action::ProfileDuplicated).await?;
        Ok(copy)
    }

    async fn set_sending(
        &self,
        by: Author<'_>,
        id: ProfileId,
        options: SendingOptions,
        shown: Shown<SendingOptions>,
    ) -> Result<(), AppError> {
        self.change(by, id, |before| {
            if before.sending == options {
                return Ok(Change::None);
            }
            if !shown.is_still(&before.sending, before.revision) {
                return Err(AppError::Stale);
            }
            Ok(self.edit(by, ProfileRow { sending: options, ..before.clone() }, Action::SendingChanged))
        })
        .await
    }

    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, AppError> {
        self.store.last_failure(account, id).await.map_err(unavailable)
    }

    async fn put_in_use(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError> {
        let tell = self.telling(by, Action::ProfileInUse);
        written(self.store.put_in_use(by.account, id, revision, &tell).await.map_err(unavailable)?)?;
        self.changed(by.account).await;
        Ok(())
    }

    async fn delete(&self, by: Author<'_>, id: ProfileId, heir: Heir, revision: Option<u32>) -> Result<(), AppError> {
        let tell = self.telling(by, Action::ProfileDeleted);
        let deleted = self.store.delete_profile(by.account, id, (heir, revision), &tell).await.map_err(unavailable)?;
        written(deleted)?;
        self.changed_profile(by.account, id, false).await;
        // The heir sends from now on.
        self.changed(by.account).await;
        Ok(())
    }

    async fn heirs(&self, account: &AccountId, id: ProfileId) -> Result<Vec<(Profile, Standing)>, AppError> {
        let rows = self.store.others_of_owner(account, id).await.map_err(unavailable)?;
        let mut heirs: Vec<_> = rows.iter().map(|row| (self.shown(account, row), standing(row))).collect();
        heirs.sort_by_key(|(profile, standing)| (std::cmp::Reverse(*standing), profile.id));
        Ok(heirs)
    }

    async fn any_ready(&self, account: &AccountId) -> Result<bool, AppError> {
        self.store.any_ready(account).await.map_err(unavailable)
    }
}

impl ProfileService {
    /// An entry of the history about what becomes, or was, of these settings.
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
    pub(crate) fn telling(&self, by: Author<'_>, action: Action) -> impl Fn(&ProfileRow) -> Entry + Send + Sync {
        move |row| self.entry(by, action.clone(), Some(&row.settings))
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

    fn edit(&self, by: Author<'_>, after: ProfileRow, action: Action) -> Change {
        let entry = self.entry(by, action, Some(&after.settings));
        Change::Edit(Box::new(after), entry)
    }

    /// What the form makes of the locked row.
    fn edited(
        &self,
        by: Author<'_>,
        before: &ProfileRow,
        mut settings: Settings,
        secret: &SecretChange,
    ) -> Result<Change, SaveError> {
        if before.settings.destination.is_same_server(&settings.destination) {
            // The form does not show it; it was found to work there.
            settings.destination.mechanism = before.settings.destination.mechanism;
        }
        let secret = match secret {
            SecretChange::Replace(secret) => Some(self.seal(by.account, before.id, &settings, secret)?),
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
        let fields = differences(&before.settings, &settings, secret.is_some());
        if fields.is_empty() {
            return Ok(Change::StartOver);
        }
        Ok(self.edit(by, before.with_settings(settings, secret), Action::ProfileChanged { fields }))
    }

    /// Decides on the locked row, writes what comes of it, and lets the outbox know. What `decide` refuses changes nothing.
    async fn change<E: From<AppError> + Send>(
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
            .map_err(unavailable)?;
        found(there)?;
        match outcome? {
            None => {}
            Some((in_use, false)) => self.changed_profile(by.account, id, in_use).await,
            // Another owner: others may be in use now.
            Some((_, true)) => {
                self.changed_profile(by.account, id, false).await;
                self.changed(by.account).await;
            }
        }
        Ok(())
    }

    async fn insert(&self, by: Author<'_>, row: ProfileRow, action: Action) -> Result<(), AppError> {
        let entry = self.entry(by, action, Some(&row.settings));
        let made = self.store.insert_profile(by.account, &row, self.most, &entry).await.map_err(unavailable)?;
        let Some(in_use) = made else { return Err(AppError::TooManyProfiles { most: self.most }) };
        self.changed_profile(by.account, row.id, in_use).await;
        Ok(())
    }
}
