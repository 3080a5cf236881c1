//! Server side. Runs the tests that **Tester** asks for: limits, the conversation, the stored result.

use std::{num::NonZeroU32, sync::Arc};

use app::{
    error::AppError,
    profile::{model::ProfileId, preset::Catalogue},
    services::Clock,
    session::{AccountId, Session},
    test_run::{
        event::Stage,
        port::{Recipient, Refusal, TestEvent, TestRun, Tester},
        report::{Report, Verdict},
    },
};
use async_stream::stream;
use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    confirmation::confirmation,
    profiles::{ProfileBook, fingerprint, unavailable},
    smtp::{Credentials, Submission, Submitter, compose},
    store::{ProfileRow, Store},
};

mod limits;

use limits::{Limits, Slot};

/// Refused passwords in a row after which a secret is not tried again: providers lock accounts.
const MOST_REFUSALS: u32 = 3;
/// Tests at the same time, in all.
const MOST_AT_ONCE: usize = 64;

/// The tester of every account.
pub struct TestRunner {
    store: Arc<dyn Store>,
    book: ProfileBook,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    clock: Clock,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
}

/// How often the button may be pressed, per minute.
#[derive(Debug, Clone, Copy)]
pub struct TestQuota {
    pub per_person: NonZeroU32,
    pub per_profile: NonZeroU32,
    pub per_account: NonZeroU32,
    pub in_all: NonZeroU32,
}

impl Default for TestQuota {
    fn default() -> Self {
        let quota = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { per_person: quota(12), per_profile: quota(12), per_account: quota(30), in_all: quota(600) }
    }
}

/// What a started test holds until it ends.
struct Running {
    store: Arc<dyn Store>,
    submitter: Arc<Submitter>,
    clock: Clock,
    account: AccountId,
    row: ProfileRow,
    recipient: String,
    submission: Submission,
    _place: OwnedSemaphorePermit,
    _slot: Slot,
}

impl TestRunner {
    pub fn new(
        store: Arc<dyn Store>,
        book: ProfileBook,
        submitter: Arc<Submitter>,
        presets: Arc<Catalogue>,
        clock: Clock,
        quota: TestQuota,
    ) -> Self {
        let limits = Arc::new(Limits::new(quota));
        Self { store, book, submitter, presets, clock, limits, places: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }

    async fn prepare(&self, session: &Session, id: ProfileId, to: Recipient) -> Result<Running, Refusal> {
        let account = &session.account;
        let row = self.store.profile(account, id).await.map_err(unavailable)?.ok_or(Refusal::NotFound)?;
        let secret = self.book.open(account, &row).map_err(|_| Refusal::SecretUnreadable)?;
        let secret = secret.ok_or(Refusal::SecretMissing)?;
        if row.secret_refusals >= MOST_REFUSALS {
            return Err(Refusal::SecretRefused);
        }
        let slot = self.limits.admit(session, id).map_err(|retry_after_s| Refusal::Limited { retry_after_s })?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| Refusal::Limited { retry_after_s: 5 })?;
        let recipient = match to {
            Recipient::Me if !session.email.is_empty() => session.email.clone(),
            _ => row.settings.sender_address.to_string(),
        };
        let submission = self.submission(session, &row, &recipient, secret).map_err(|error| {
            tracing::error!(profile = %id, error, "the confirmation mail cannot be composed");
            Refusal::Unavailable
        })?;
        Ok(Running {
            store: self.store.clone(),
            submitter: self.submitter.clone(),
            clock: self.clock.clone(),
            account: account.clone(),
            row,
            recipient,
            submission,
            _place: place,
            _slot: slot,
        })
    }

    fn submission(
        &self,
        session: &Session,
        row: &ProfileRow,
        recipient: &str,
        secret: secrecy::SecretString,
    ) -> Result<Submission, &'static dyn std::error::Error> {
        const WRONG_ADDRESS: &crate::confirmation::AddressError = &crate::confirmation::AddressError;
        let settings = &row.settings;
        let destination = &settings.destination;
        let provider = self.presets.name(settings.preset.as_deref(), &destination.host);
        let letter = confirmation(session, row, provider, recipient, (self.clock)(), uuid::Uuid::new_v4())
            .map_err(|_| WRONG_ADDRESS as &dyn std::error::Error)?;
        let from = letter.from.email.clone();
        let to = letter.to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let composed = compose(&letter).map_err(|_| WRONG_ADDRESS as &dyn std::error::Error)?;
        Ok(Submission {
            host: destination.host.clone(),
            port: destination.port,
            security: destination.security,
            credentials: Some(Credentials { login: destination.login.clone(), secret }),
            mechanism: None,
            from,
            to,
            message: composed.bytes,
            dry_run: false,
        })
    }
}

impl Running {
    /// Stores the result. A profile that was changed meanwhile keeps the result of what was tested: its fingerprint
    /// says that it is to be tested again.
    async fn record(&self, report: Report) -> TestRun {
        let run = TestRun { at: (self.clock)(), recipient: self.recipient.clone(), report };
        let refusals = match (run.report.verdict, run.report.stage) {
            (Verdict::Failed, Stage::Auth) if !run.report.retryable => self.row.secret_refusals + 1,
            (Verdict::Accepted | Verdict::DeliveryUnknown, _) => 0,
            _ => self.row.secret_refusals,
        };
        let stored = self.store.record_test(&self.account, self.row.id, &run, &fingerprint(&self.row), refusals).await;
        if let Err(error) = stored {
            unavailable(error);
        }
        tracing::info!(profile = %self.row.id, verdict = ?run.report.verdict, cause = ?run.report.cause, "test finished");
        run
    }
}

#[async_trait]
impl Tester for TestRunner {
    async fn start(
        &self,
        session: &Session,
        id: ProfileId,
        recipient: Recipient,
    ) -> Result<BoxStream<'static, TestEvent>, Refusal> {
        let running = self.prepare(session, id, recipient).await?;
        Ok(Box::pin(stream! {
            let (sender, mut stages) = mpsc::unbounded_channel();
            let mut on_stage = move |event| drop(sender.send(event));
            let report = {
                let mut conversation = std::pin::pin!(running.submitter.submit(&running.submission, &mut on_stage));
                loop {
                    tokio::select! {
                        biased;
                        Some(event) = stages.recv() => yield TestEvent::Stage(event),
                        report = &mut conversation => break report,
                    }
                }
            };
            while let Ok(event) = stages.try_recv() {
                yield TestEvent::Stage(event);
            }
            yield TestEvent::Finished(Box::new(running.record(report).await));
        }))
    }

    async fn last(&self, session: &Session, id: ProfileId) -> Result<Option<TestRun>, AppError> {
        self.store.last_test(&session.account, id).await.map_err(unavailable)
    }
}
