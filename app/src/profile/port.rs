//! Server side. What the profile slice needs from the server.

use async_trait::async_trait;
use secrecy::SecretString;

use super::{
    encoding::Encoding,
    field::{Fault, FieldError},
    model::{Profile, ProfileId, Settings},
    sending::SendingOptions,
};
use crate::{error::AppError, journal::model::Author, session::AccountId, test_run::port::TestRun};

/// The number of profiles on a page of the list.
pub const PAGE_SIZE: u32 = 50;

/// Which destinations the operator allows (the guard).
pub trait DestinationPolicy: Send + Sync {
    /// The host in canonical form, or why it is refused.
    fn host(&self, typed: &str) -> Result<String, Fault>;
    /// The port, or why it is refused.
    fn port(&self, port: u16) -> Result<u16, Fault>;
    /// Every port that is allowed.
    fn ports(&self) -> &[u16];
    /// Whether a password may be sent there without encryption.
    fn unencrypted(&self, host: &str) -> bool;
}

/// What happens to the secret when a profile is saved.
pub enum SecretChange {
    /// Keep the stored one. Refused when the destination changes.
    Keep,
    Replace(SecretString),
}

/// The profile of a form, and the revision that the form showed.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The profile to change; `None`: a new one.
    pub id: Option<ProfileId>,
    /// The name of the form that creates it: posted twice, it creates one profile.
    pub creation: Option<String>,
    /// The revision that the form showed; `None` for a client that does not send it.
    pub revision: Option<u32>,
}

impl Target {
    /// A profile in any state.
    pub fn profile(id: ProfileId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }
}

/// The value that a page showed, for optimistic locking. `None` for a client that does not send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<T> {
    pub value: Option<T>,
    /// The revision of the profile's settings and secret.
    pub revision: Option<u32>,
}

impl<T> From<Option<T>> for Shown<T> {
    fn from(value: Option<T>) -> Self {
        Self { value, revision: None }
    }
}

impl<T: PartialEq> Shown<T> {
    /// Whether it is still current.
    pub fn is_still(&self, value: &T, revision: u32) -> bool {
        self.value.as_ref().is_none_or(|shown| shown == value) && self.revision.is_none_or(|shown| shown == revision)
    }
}

/// How likely a profile is to work, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reliability {
    /// It has no secret, or its last attempt failed.
    Fails,
    Unknown,
    /// A server accepted its message.
    Works,
    /// Its message was received.
    Received,
}

/// Which profile replaces the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Successor {
    /// The one most likely to work; none if all others are known to fail.
    Best,
    One(ProfileId),
    Nobody,
}

/// The outcome of a change with optimistic locking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// It does not exist.
    Gone,
    /// It has changed since it was shown.
    Stale,
}

/// A profile as the list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub profile: Profile,
    /// The last message that failed because of the profile, if that is current.
    pub failure: Option<TestRun>,
}

/// Why a profile was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("the settings are refused")]
    Invalid(Vec<FieldError>),
    /// The profile has changed since the form showed it.
    #[error("the profile was changed meanwhile")]
    Stale(ProfileId),
    #[error(transparent)]
    App(#[from] AppError),
}

/// The profiles of an account. Another account's profiles are not found. A change takes its author, and writes its
/// history entry in the same transaction.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// The address policy that [`save`](Self::save) will apply again.
    fn policy(&self) -> &dyn DestinationPolicy;

    /// At most [`PAGE_SIZE`] profiles in the order of their age, those after `after` (keyset).
    async fn page(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Profile>, AppError>;

    /// The same, with the last failed message of each failing profile.
    async fn list(&self, account: &AccountId, after: Option<ProfileId>) -> Result<Vec<Listed>, AppError>;

    async fn get(&self, account: &AccountId, id: ProfileId) -> Result<Option<Profile>, AppError>;

    /// Creates a profile, or changes the one with this id. When it returns, the profile is on disk.
    async fn save(
        &self,
        by: Author<'_>,
        target: Target,
        settings: Settings,
        secret: SecretChange,
    ) -> Result<ProfileId, SaveError>;

    /// Records in the history that a form was refused because of its destination, as typed.
    async fn note_blocked(
        &self,
        by: Author<'_>,
        destination: (&str, &str),
        errors: &[FieldError],
    ) -> Result<(), AppError>;

    /// The profile that the form of this name created.
    async fn made_by(&self, account: &AccountId, creation: &str) -> Result<Option<Profile>, AppError>;

    /// Sets the encoding, if encoding and profile are still as shown; [`AppError::Stale`] otherwise.
    async fn set_encoding(
        &self,
        by: Author<'_>,
        id: ProfileId,
        encoding: Encoding,
        shown: Shown<Encoding>,
    ) -> Result<(), AppError>;

    /// Removes superfluous characters from the stored secret, if the profile still has this revision. Returns their
    /// number.
    async fn clean_secret(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<u32, AppError>;

    /// A second profile with the same settings and no secret.
    async fn duplicate(&self, by: Author<'_>, id: ProfileId) -> Result<ProfileId, AppError>;

    /// Sets how the profile sends, if that and the profile are still as shown.
    async fn set_sending(
        &self,
        by: Author<'_>,
        id: ProfileId,
        options: SendingOptions,
        shown: Shown<SendingOptions>,
    ) -> Result<(), AppError>;

    /// The last message that failed because of the profile.
    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, AppError>;

    /// Puts the profile in use for its owner's mail, if it still has this revision; [`AppError::Stale`] otherwise.
    async fn put_in_use(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError>;

    /// The profiles that may replace this one, the most likely to work first.
    async fn successors(&self, account: &AccountId, id: ProfileId) -> Result<Vec<(Profile, Reliability)>, AppError>;

    /// The account's profiles in use, one for each owner.
    async fn in_use(&self, account: &AccountId) -> Result<Vec<Profile>, AppError>;
}
