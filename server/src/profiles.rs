//! Server side. The use cases of profiles, over the store and the vault. Implements the ports of `app`.

use std::sync::{Arc, OnceLock, Weak};

use app::{
    error::AppError,
    journal::model::{Action, Author},
    profile::{
        draft::TypedSecret,
        encoding::Encoding,
        field::{Field, FieldError},
        model::{Profile, ProfileId, Settings},
        password::{InnerSpaces, clean},
        port::{
            DestinationPolicy, Listed, PAGE_SIZE, Profiles, Reliability, SaveError, SecretChange, Shown, Target,
            Written,
        },
        sending::{SendState, SendingOptions},
    },
    services::Clock,
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use mail::net::Policy;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    credentials::{Vault, logins::Logins},
    metrics::Metrics,
    oauth::AccessTokens,
    store::{Change, ProfileRow, ProfileWithFailure, Store, StoreError, reliability},
};

mod account;
mod apply_fix;
mod blocked;
mod change;
mod connect;
mod deleted;
mod guard;
mod listener;
mod save;
mod secrets;
mod sent;
mod shown;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use connect::{Connection, NoSecret};
pub use listener::ChangeListener;

/// Default number of profiles that an account may have.
pub const MOST_PROFILES: u32 = 100;

/// Profiles, sending modes and drafts of every account.
#[derive(Clone)]
pub struct ProfileService {
    store: Arc<dyn Store>,
    vault: Vault,
    policy: Policy,
    clock: Clock,
    /// Counts the logins with every secret.
    logins: Logins,
    /// Most profiles of an account.
    most: u32,
    blocked: blocked::Blocked,
    /// Access tokens for profiles with a grant; `None`: no provider is configured.
    tokens: Option<AccessTokens>,
    /// Notified of every change, so that nothing is sent with an older state.
    listener: Arc<OnceLock<Weak<dyn ChangeListener>>>,
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
        Self { store, vault, policy, clock, logins, most, blocked, tokens: None, listener: Arc::default() }
    }

    /// The same, with this many profiles for an account, and its metrics.
    #[must_use]
    pub fn with(mut self, most: u32, metrics: &Arc<Metrics>) -> Self {
        self.most = most;
        self.blocked.metrics = Some(metrics.clone());
        self
    }

    /// The same, with access tokens for profiles whose owner signed in at a provider.
    #[must_use]
    pub fn with_tokens(mut self, tokens: AccessTokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Notifies `listener` of every change from now on.
    pub fn set_change_listener<L: ChangeListener + 'static>(&self, listener: &Arc<L>) {
        let listener: Weak<dyn ChangeListener> = Arc::downgrade(listener) as _;
        let _ = self.listener.set(listener);
    }

    fn listener(&self) -> Option<Arc<dyn ChangeListener>> {
        self.listener.get().and_then(Weak::upgrade)
    }

    /// The account's messages take another route: its mode changed, or which profile is in use.
    pub(crate) async fn changed(&self, account: &AccountId) {
        if let Some(listener) = self.listener() {
            listener.changed(account).await;
        }
    }

    /// One profile was changed. Waiting messages are tried again only if it is in use.
    pub(crate) async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool) {
        if let Some(listener) = self.listener() {
            listener.changed_profile(account, id, in_use).await;
        }
    }

    /// A new id. Ids of the same millisecond still sort by age.
    fn new_id(&self) -> ProfileId {
        ProfileId(crate::ids::at((self.clock)()))
    }

    async fn row(&self, account: &AccountId, id: ProfileId) -> Result<ProfileRow, AppError> {
        self.store.profile(account, id).await.map_err(StoreError::log)?.ok_or(AppError::NotFound)
    }
}

/// Identifies the tested settings: another fingerprint means that the profile needs another test.
pub(crate) fn fingerprint(row: &ProfileRow) -> [u8; 32] {
    row.fingerprint()
}

#[async_trait]
impl Profiles for ProfileService {
    fn policy(&self) -> &dyn DestinationPolicy {
        self
    }

    async fn page(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Profile>, AppError> {
        let rows = self.store.profiles(account, after, PAGE_SIZE).await.map_err(StoreError::log)?;
        Ok(rows.iter().map(|row| self.shown(account, row)).collect())
    }

    async fn list(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Listed>, AppError> {
        let rows = self.store.profiles_with_failures(account, after, PAGE_SIZE).await.map_err(StoreError::log)?;
        let listed = rows.into_iter().map(|ProfileWithFailure { row, last_failure }| {
            let profile = self.shown(account, &row);
            // Failures from before the change no longer matter.
            let failure =
                last_failure.filter(|_| matches!(profile.sends, SendState::Broken { .. } | SendState::Failing { .. }));
            Listed { profile, failure }
        });
        Ok(listed.collect())
    }

    async fn get(&self, account: &AccountId, id: ProfileId) -> Result<Option<Profile>, AppError> {
        let row = self.store.profile(account, id).await.map_err(StoreError::log)?;
        Ok(row.map(|row| self.shown(account, &row)))
    }

    async fn save(
        &self,
        by: Author<'_>,
        target: Target,
        settings: Settings,
        secret: SecretChange,
    ) -> Result<ProfileId, SaveError> {
        self.save_profile(by, target, settings, secret).await
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
        let row = self.store.profile_made_by(account, creation).await.map_err(StoreError::log)?;
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
            if removed == 0 {
                return Ok(Change::None);
            }
            // The remaining text must be a password that the form would accept.
            if let Err(error) = TypedSecret::from(cleaned.value.clone()).check(InnerSpaces::Significant) {
                return Err(AppError::Invalid { fields: vec![error] });
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
        // A name distinguishes two profiles, so the copy has none yet.
        let settings = Settings { name: String::new(), ..row.settings };
        let row = ProfileRow { encoding: row.encoding, ..ProfileRow::new(copy, settings) };
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
        self.store.last_failure(account, id).await.map_err(StoreError::log)
    }

    async fn put_in_use(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError> {
        let entry_for = self.entry_for(by, Action::ProfileInUse);
        written(self.store.put_in_use(by.account, id, revision, &entry_for).await.map_err(StoreError::log)?)?;
        self.changed(by.account).await;
        Ok(())
    }

    async fn successors(&self, account: &AccountId, id: ProfileId) -> Result<Vec<(Profile, Reliability)>, AppError> {
        let rows = self.store.others_of_owner(account, id).await.map_err(StoreError::log)?;
        let mut successors: Vec<_> = rows.iter().map(|row| (self.shown(account, row), reliability(row))).collect();
        successors.sort_by_key(|(profile, reliability)| (std::cmp::Reverse(*reliability), profile.id));
        Ok(successors)
    }

    async fn in_use(&self, account: &AccountId) -> Result<Vec<Profile>, AppError> {
        let rows = self.store.profiles_in_use(account).await.map_err(StoreError::log)?;
        Ok(rows.iter().map(|row| self.shown(account, row)).collect())
    }
}
