//! Server side. Runs the tests that **Tester** asks for: limits, the conversation, the stored result.

use std::{num::NonZeroU32, sync::Arc};

use ::mail::smtp::{LoginGate, Submission, Submitter, until};
use app::{
    error::AppError,
    journal::model::Action,
    profile::{model::ProfileId, preset::Catalogue},
    services::Clock,
    session::Session,
    test_run::{
        port::{Recipient, Refusal, TestEvent, TestRun, Tester},
        receipt::ReceiptOutcome,
        report::{Report, Verdict},
    },
    theme::Theme,
};
use async_stream::stream;
use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::{
    credentials::logins::{LoginGuard, MOST_REFUSALS, Withheld},
    events::{profile_transition, test_finished},
    metrics::Metrics,
    portal::Portal,
    profiles::{ProfileService, fingerprint},
    store::{ProfileRow, Receipt, Store, StoreError, TestRecord, outbox::TransitionEvent},
    submission::submission,
};

mod commit_point;
mod limits;
pub(crate) mod mail;
mod receipt;
mod remedies;

use self::mail::{AddressError, confirmation};
use commit_point::TestCommitPoint;
use limits::{Limits, TestPermit};
use remedies::Remedies;

/// The tester of every account.
pub struct TestRunner {
    store: Arc<dyn Store>,
    profiles: ProfileService,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    clock: Clock,
    limits: Arc<Limits>,
    /// Portals with a webhook.
    webhook_portals: Arc<[String]>,
    /// For the look of the confirmation mail.
    portals: Arc<[Portal]>,
    metrics: Arc<Metrics>,
}

/// What a tester is made of.
pub struct TestRunnerParts {
    pub store: Arc<dyn Store>,
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

/// What a started test holds until it ends.
struct Running {
    store: Arc<dyn Store>,
    submitter: Arc<Submitter>,
    presets: Arc<Catalogue>,
    clock: Clock,
    profiles: ProfileService,
    session: Session,
    row: ProfileRow,
    recipient: String,
    submission: Submission,
    gate: Arc<LoginGuard>,
    receipt: Receipt,
    webhook_portals: Arc<[String]>,
    metrics: Arc<Metrics>,
    permit: TestPermit,
}

impl TestRunner {
    pub fn new(parts: TestRunnerParts) -> Self {
        let TestRunnerParts { store, profiles, submitter, presets, clock, quota, webhook_portals, portals, metrics } =
            parts;
        Self {
            store,
            profiles,
            submitter,
            presets,
            clock,
            limits: Arc::new(Limits::new(quota)),
            webhook_portals,
            portals,
            metrics,
        }
    }

    async fn prepare(&self, session: &Session, id: ProfileId, to: Recipient) -> Result<Running, Refusal> {
        let account = &session.account;
        let row = self.store.profile(account, id).await.map_err(StoreError::log)?.ok_or(Refusal::NotFound)?;
        let secret = self.profiles.open(account, &row).map_err(|_| Refusal::SecretUnreadable)?;
        let secret = secret.ok_or(Refusal::SecretMissing)?;
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
        let login = (secret, gate.clone() as Arc<dyn LoginGate>);
        let submission = self.submission(session, &row, &recipient, (login, &code)).map_err(|error| {
            tracing::error!(profile = %id, error, "the confirmation mail cannot be composed");
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
        (login, code): ((secrecy::SecretString, Arc<dyn LoginGate>), &str),
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
        submission(destination, Some(login), &letter, to).map_err(|_| WRONG_ADDRESS as &dyn std::error::Error)
    }
}

impl Running {
    /// Has the conversation, looks for what may help, and stores the result. Stopped before the message leaves it stores
    /// nothing; once it may have left, its end is waited for, because the mail may arrive.
    async fn run(self, events: UnboundedSender<TestEvent>, stop: CancellationToken) {
        let tell = |event| drop(events.send(event));
        let mut on_stage = |event| tell(TestEvent::Stage(event));
        let commit_point = TestCommitPoint::new(stop.clone(), events.clone());
        let conversation = Box::pin(self.submitter.submit_committed(&self.submission, &commit_point, &mut on_stage));
        let conversation = Box::pin(self.permit.watch(conversation));
        let report = until(self.submission.credentials.as_ref(), conversation, commit_point.stopped_before()).await;
        let Some(mut report) = report.flatten().filter(|_| commit_point.is_reached() || !stop.is_cancelled()) else {
            return;
        };
        if let Some(withheld) = self.gate.withheld() {
            return tell(TestEvent::Refused(match withheld {
                Withheld::Refused => Refusal::SecretRefused,
                Withheld::Busy => Refusal::Limited { retry_after_s: 10 },
                Withheld::Unavailable => Refusal::Unavailable,
            }));
        }
        if Remedies::may_help(&report) {
            tell(TestEvent::LookingForFixes);
        }
        tokio::select! {
            () = self.permit.watch(Box::pin(self.find_fixes(&mut report))) => {}
            () = stop.cancelled() => if !commit_point.is_reached() { return },
        }
        let run = Box::new(self.record(report).await);
        // A new test may start as soon as the end was reported.
        drop(self);
        tell(TestEvent::Finished(run));
    }

    async fn find_fixes(&self, report: &mut Report) {
        let Self { submitter, presets, row, submission, .. } = self;
        Remedies { submitter, presets, row, submission }.find(report).await;
    }

    /// Stores the result. A profile that was changed meanwhile keeps the result of what was tested: its fingerprint
    /// says that it is to be tested again.
    async fn record(&self, report: Report) -> TestRun {
        let run = TestRun { at: (self.clock)(), recipient: self.recipient.clone(), report };
        // A mail that may have left may arrive.
        let receipt = (run.report.verdict != Verdict::Failed).then_some(&self.receipt);
        let fingerprint = fingerprint(&self.row);
        let account = &self.session.account;
        let has_webhook = self.webhook_portals.contains(&account.portal);
        let events: Vec<_> =
            has_webhook.then(|| test_finished(account, self.row.id, &run.report, run.at)).into_iter().collect();
        self.metrics.tested(run.report.verdict, run.report.cause);
        let (verdict, cause) = (run.report.verdict, run.report.cause);
        let action = Action::Tested { verdict, cause };
        let entry = self.profiles.entry(self.session.author(), action, Some(&self.row.settings));
        let transition_event = has_webhook.then_some(profile_transition as TransitionEvent);
        let record =
            TestRecord { fingerprint: &fingerprint, receipt, events: &events, transition_event, entry: &entry };
        let stored = self.store.record_test(account, self.row.id, &run, &record).await;
        if let Err(error) = stored {
            error.log();
        }
        if run.report.verdict == Verdict::Accepted {
            // What waits for this profile is woken.
            self.profiles.changed_profile(account, self.row.id, self.row.in_use).await;
        }
        tracing::info!(profile = %self.row.id, ?verdict, ?cause, "test finished");
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
        let (events, mut received) = mpsc::unbounded_channel();
        // Dropping the stream stops the test: but a login that is under way is waited for and counted, and so is a message that
        // may have left.
        let stop = CancellationToken::new();
        tokio::spawn(running.run(events, stop.clone()));
        Ok(Box::pin(stream! {
            let _stop = stop.drop_guard();
            while let Some(event) = received.recv().await {
                yield event;
            }
        }))
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
        // The try is taken before the code is looked at: many requests at once have no more tries than one.
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
