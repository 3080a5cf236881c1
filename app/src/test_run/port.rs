//! Server side. What **Tester** needs from the server.

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{event::StageEvent, receipt::ReceiptOutcome, report::Report};
use crate::{error::AppError, profile::model::ProfileId, session::Session};

/// To whom the confirmation mail goes: never anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Recipient {
    /// The person who is signed in, at the address the portal vouched for.
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

/// What happens during a test.
#[derive(Debug, Clone)]
pub enum TestEvent {
    Stage(StageEvent),
    /// The message is about to leave: from now on the test cannot be stopped.
    Leaving,
    /// It failed; what may help is being looked for.
    LookingForFixes,
    /// The last one, where the login was not tried: the secret was refused three times meanwhile, or others are trying it.
    Refused(Refusal),
    /// The last one. Its result is stored.
    Finished(Box<TestRun>),
}

/// Why a test did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such profile")]
    NotFound,
    #[error("the profile has no secret")]
    SecretMissing,
    #[error("the secret does not open")]
    SecretUnreadable,
    /// Three passwords in a row were refused: no more until the secret changes, or the provider locks the account.
    #[error("the secret was refused three times")]
    SecretRefused,
    /// The profile changed since the test that proposed the change.
    #[error("the proposal is out of date")]
    Stale,
    #[error("too many tests")]
    Limited { retry_after_s: u32 },
    #[error("too many tests at the same time")]
    AtOnce(AtOnce),
    #[error("the service is unavailable")]
    Unavailable,
}

/// Who has as many tests under way as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtOnce {
    Person,
    Account,
    /// Everybody together, or everybody with this server.
    All,
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound => Self::NotFound,
            _ => Self::Unavailable,
        }
    }
}

/// Runs tests, with the code that real sending uses.
#[async_trait]
pub trait Tester: Send + Sync {
    /// Starts a test. The stream owns the conversation: dropping it closes the connection and stores nothing, unless the
    /// message may have left already. Then it goes on to its end, and its result is stored.
    async fn start(
        &self,
        session: &Session,
        id: ProfileId,
        recipient: Recipient,
    ) -> Result<BoxStream<'static, TestEvent>, Refusal>;

    /// Applies one of the changes that the last test of the profile proposed.
    async fn apply_fix(&self, session: &Session, id: ProfileId, fix: usize) -> Result<(), Refusal>;

    /// Somebody typed in the code of the confirmation mail.
    async fn confirm(&self, session: &Session, id: ProfileId, code: &str) -> Result<ReceiptOutcome, AppError>;

    /// The last finished test of a profile.
    async fn last(&self, session: &Session, id: ProfileId) -> Result<Option<TestRun>, AppError>;
}
