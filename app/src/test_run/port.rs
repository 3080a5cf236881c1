//! Server side. What **Tester** needs from the server.

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{event::StageEvent, receipt::ReceiptOutcome, report::Report};
use crate::{
    error::AppError,
    profile::model::{Profile, ProfileId},
    session::Session,
};

/// The recipient of the confirmation mail. No other address can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Recipient {
    /// The signed-in user, at the address in the portal's token.
    #[default]
    Me,
    /// The profile's own sender.
    Sender,
}

impl Recipient {
    /// The recipient with this code in the form.
    pub fn parse(code: &str) -> Self {
        if code == "sender" { Self::Sender } else { Self::Me }
    }
}

/// A finished test, as it is stored with its profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestRun {
    pub at: Timestamp,
    /// Where the confirmation mail was sent.
    pub recipient: String,
    pub report: Report,
}

/// An event of a running test.
#[derive(Debug, Clone)]
pub enum TestEvent {
    Stage(StageEvent),
    /// The commit point has passed: the test can no longer be stopped.
    Leaving,
    /// It failed; fixes are being looked for.
    LookingForFixes,
    /// The last event, without a login attempt: the secret was refused three times meanwhile, or other logins are using
    /// it.
    Refused(Refusal),
    /// The last event, once the result is stored.
    Finished(Box<TestRun>),
}

/// Why a test did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such profile")]
    NotFound,
    #[error("the profile has no secret")]
    SecretMissing,
    /// The typed password is invalid: it is empty, too long, or has characters that no password has.
    #[error("the typed secret is invalid")]
    SecretInvalid,
    #[error("the secret cannot be decrypted")]
    SecretUnreadable,
    /// The password was refused three times in a row: no further attempts until it changes, so that the provider does
    /// not lock the account.
    #[error("the secret was refused three times")]
    SecretRefused,
    /// The profile has changed since the test that proposed the fix.
    #[error("the proposal is out of date")]
    Stale,
    #[error("too many tests")]
    Limited { retry_after_s: u32 },
    #[error("too many tests at the same time")]
    AtOnce(AtOnce),
    #[error("the service is unavailable")]
    Unavailable,
    /// A fault of the service, which was logged.
    #[error("internal error")]
    Internal,
}

/// Whose limit of simultaneous tests is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtOnce {
    Person,
    Account,
    /// The limit of all accounts, or of this server.
    All,
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound => Self::NotFound,
            AppError::Internal => Self::Internal,
            _ => Self::Unavailable,
        }
    }
}

/// A test that has begun.
pub struct Started {
    /// The profile as it is tested.
    pub profile: Profile,
    pub events: BoxStream<'static, TestEvent>,
}

/// Runs tests with the code of real sending.
#[async_trait]
pub trait Tester: Send + Sync {
    /// Starts a test. Dropping the stream before the commit point closes the connection and stores nothing; after it,
    /// the test runs to its end and its result is stored.
    async fn start(&self, session: &Session, id: ProfileId, recipient: Recipient) -> Result<Started, Refusal>;

    /// Applies one of the fixes that the profile's last test proposed.
    async fn apply_fix(&self, session: &Session, id: ProfileId, fix: usize) -> Result<(), Refusal>;

    /// Checks the code of the confirmation mail.
    async fn confirm(&self, session: &Session, id: ProfileId, code: &str) -> Result<ReceiptOutcome, AppError>;

    /// The last finished test of a profile.
    async fn last(&self, session: &Session, id: ProfileId) -> Result<Option<TestRun>, AppError>;
}
