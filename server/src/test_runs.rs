//! Server side. Runs the tests of the **Tester** button: limits, the conversation, the stored result.

use std::{num::NonZeroU32, sync::Arc};

use ::mail::smtp::{LoginGate, Submission, Submitter};
use app::{
    error::AppError,
    journal::model::Action,
    profile::{model::ProfileId, preset::Catalogue},
    services::Clock,
    session::Session,
    test_run::{
        port::{Recipient, Refusal, Started, TestRun, Tester},
        receipt::ReceiptOutcome,
    },
    theme::Theme,
};
use async_stream::stream;
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    credentials::logins::MOST_REFUSALS,
    metrics::Metrics,
    portal::Portal,
    profiles::ProfileService,
    replicas::Replicas,
    store::{ProfileRow, Store, StoreError},
    submission::submission,
};

mod commit_point;
mod limits;
pub(crate) mod mail;
mod receipt;
mod remedies;
mod running;

use self::mail::{AddressError, confirmation};
use limits::Limits;
use running::Running;

/// Runs the tests of all accounts.
pub struct TestRunner {
    store: Arc<dyn Store>,
    profiles: ProfileService,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    clock: Clock,
    limits: Arc<Limits>,
    /// Portals with a webhook.
    webhook_portals: Arc<[String]>,
    /// For the theme of the confirmation mail.
    portals: Arc<[Portal]>,
    metrics: Arc<Metrics>,
}

/// A password, and what counts its logins.
type Login = (secrecy::SecretString, Arc<dyn LoginGate>);

/// The parts of a [`TestRunner`].
pub struct TestRunnerParts {
    pub store: Arc<dyn Store>,
    pub replicas: Replicas,
    pub profiles: ProfileService,
    pub submitter: Arc<Submitter>,
    pub presets: Arc<Catalogue>,
    pub clock: Clock,
    pub quota: TestQuota,
    pub webhook_portals: Arc<[String]>,
    pub portals: Arc<[Portal]>,
    pub metrics: Arc<Metrics>,
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

impl TestRunner {
    pub fn new(parts: TestRunnerParts) -> Self {
        let TestRunnerParts {
            store,
            replicas,
            profiles,
            submitter,
            presets,
            clock,
            quota,
            webhook_portals,
            portals,
            metrics,
        } = parts;
        Self {
            store,
            profiles,
            submitter,
            presets,
            clock,
            limits: Arc::new(Limits::new(quota, replicas)),
            webhook_portals,
            portals,
            metrics,
        }
    }

    async fn prepare(&self, session: &Session, id: ProfileId, to: Recipient) -> Result<Running, Refusal> {
        let account = &session.account;
        let row = self.store.profile(account, id).await.map_err(StoreError::log)?.ok_or(Refusal::NotFound)?;
        // A token may have to be refreshed first: that is part of the test.
        let password = if row.grant.is_none() {
            let secret = self.profiles.open(account, &row).map_err(|_| Refusal::SecretUnreadable)?;
            Some(secret.ok_or(Refusal::SecretMissing)?)
        } else {
            None
        };
        if row.secret_refusals >= MOST_REFUSALS {
            return Err(Refusal::SecretRefused);
        }
        let permit = self.limits.admit(session, id, &row.settings.destination.host).await?;
        let recipient = match to {
            Recipient::Me if !session.email.is_empty() => session.email.clone(),
            _ => row.settings.sender_address.to_string(),
        };
        let (code, receipt) = receipt::issue((self.clock)()).ok_or(Refusal::Unavailable)?;
        let gate = self.profiles.gate(&row);
        let login = password.map(|secret| (secret, gate.clone() as Arc<dyn LoginGate>));
        let submission = self.submission(session, &row, &recipient, (login, &code)).map_err(|error| {
            tracing::error!(profile = %id, error, "cannot compose the confirmation mail");
            Refusal::Unavailable
        })?;
        Ok(Running {
            store: self.store.clone(),
            submitter: self.submitter.clone(),
            presets: self.presets.clone(),
            clock: self.clock.clone(),
            profiles: self.profiles.clone(),
            session: session.clone(),
            row,
            recipient,
            submission,
            gate,
            receipt,
            webhook_portals: self.webhook_portals.clone(),
            metrics: self.metrics.clone(),
            permit,
        })
    }

    fn submission(
        &self,
        session: &Session,
        row: &ProfileRow,
        recipient: &str,
        (login, code): (Option<Login>, &str),
    ) -> Result<Submission, &'static dyn std::error::Error> {
        const WRONG_ADDRESS: &AddressError = &AddressError;
        let settings = &row.settings;
        let destination = &settings.destination;
        let provider = self.presets.name_of(settings);
        let portal = self.portals.iter().find(|portal| portal.id == session.account.portal);
        let (theme, _) = Theme::read(portal.map(|portal| &portal.theme).into_iter().chain([&session.theme]));
        let letter = confirmation(session, &theme, row, provider, recipient, (self.clock)(), code)
            .map_err(|_| WRONG_ADDRESS as &dyn std::error::Error)?;
        let to = letter.to.iter().map(|mailbox| mailbox.email.clone()).collect();
        submission(destination, login, &letter, to).map_err(|_| WRONG_ADDRESS as &dyn std::error::Error)
    }
}

#[async_trait]
impl Tester for TestRunner {
    async fn start(&self, session: &Session, id: ProfileId, recipient: Recipient) -> Result<Started, Refusal> {
        let running = self.prepare(session, id, recipient).await?;
        let profile = self.profiles.shown(&session.account, &running.row);
        let (events, mut received) = mpsc::unbounded_channel();
        // Dropping the stream stops the test, but a running login is awaited and counted, and so is a message that may
        // have been sent.
        let stop = CancellationToken::new();
        tokio::spawn(running.run(events, stop.clone()));
        let events = Box::pin(stream! {
            let _stop = stop.drop_guard();
            while let Some(event) = received.recv().await {
                yield event;
            }
        });
        Ok(Started { profile, events })
    }

    async fn apply_fix(&self, session: &Session, id: ProfileId, fix: usize) -> Result<(), Refusal> {
        let account = &session.account;
        let Some(last) = self.store.last_test(account, id).await.map_err(StoreError::log)? else {
            let is_there = self.store.profile(account, id).await.map_err(StoreError::log)?.is_some();
            return Err(if is_there { Refusal::Stale } else { Refusal::NotFound });
        };
        let fix = last.report.fixes.get(fix).ok_or(Refusal::Stale)?;
        self.profiles.apply_fix(session.author(), id, fix).await.map_err(|error| match error {
            AppError::Conflict => Refusal::Stale,
            other => other.into(),
        })?;
        tracing::info!(profile = %id, fix = fix.key(), "fix applied");
        Ok(())
    }

    async fn confirm(&self, session: &Session, id: ProfileId, code: &str) -> Result<ReceiptOutcome, AppError> {
        let (account, now) = (&session.account, (self.clock)());
        // The try is counted before the code is compared: concurrent requests get no additional tries.
        let Some(receipt) = self.store.try_receipt(account, id, now).await.map_err(StoreError::log)? else {
            return Ok(ReceiptOutcome::Gone);
        };
        let tries_left = receipt.tries_left;
        if !receipt::matches_code(&receipt, code) {
            return Ok(if tries_left > 0 { ReceiptOutcome::Wrong { tries_left } } else { ReceiptOutcome::Gone });
        }
        let entry_for = self.profiles.entry_for(session.author(), Action::ReceiptConfirmed);
        let confirmed =
            self.store.confirm_receipt(account, id, &receipt, now, &entry_for).await.map_err(StoreError::log)?;
        Ok(if confirmed { ReceiptOutcome::Received } else { ReceiptOutcome::Gone })
    }

    async fn last(&self, session: &Session, id: ProfileId) -> Result<Option<TestRun>, AppError> {
        self.store.last_test(&session.account, id).await.map_err(StoreError::log)
    }
}
