//! Server side. A running test: the conversation, fixes after a failure, the stored result.

use std::sync::Arc;

use ::mail::smtp::{Credentials, Submission, Submitter, until};
use app::{
    diagnosis::cause::Cause,
    journal::model::Action,
    profile::preset::Catalogue,
    services::Clock,
    session::Session,
    test_run::{
        event::StageEvent,
        port::{Refusal, TestEvent, TestRun},
        report::{Report, Verdict},
    },
};
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{commit_point::TestCommitPoint, limits::TestPermit, remedies::Remedies};
use crate::{
    credentials::logins::{LoginGuard, Withheld},
    events::{profile_transition, test_finished},
    metrics::Metrics,
    profiles::{ProfileService, fingerprint},
    store::{ProfileRow, Receipt, Store, TestRecord, outbox::TransitionEvent},
    submission::{is_refused_token, of_token},
};

/// The state of a started test, until it ends.
pub(super) struct Running {
    pub(super) store: Arc<dyn Store>,
    pub(super) submitter: Arc<Submitter>,
    pub(super) presets: Arc<Catalogue>,
    pub(super) clock: Clock,
    pub(super) profiles: ProfileService,
    pub(super) session: Session,
    pub(super) row: ProfileRow,
    pub(super) recipient: String,
    pub(super) submission: Submission,
    pub(super) gate: Arc<LoginGuard>,
    pub(super) receipt: Receipt,
    pub(super) webhook_portals: Arc<[String]>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) permit: TestPermit,
}

impl Running {
    /// Has the conversation, looks for fixes, and stores the result. If it is stopped before the message is sent it
    /// stores nothing; once the message may have been sent, its end is awaited, because the mail may arrive.
    pub(super) async fn run(mut self, events: UnboundedSender<TestEvent>, stop: CancellationToken) {
        let send = |event| drop(events.send(event));
        let mut on_stage = |event| send(TestEvent::Stage(event));
        let commit_point = TestCommitPoint::new(stop.clone(), events.clone());
        let report = if self.row.grant.is_some() {
            self.with_token(&commit_point, &mut on_stage).await
        } else {
            self.converse(&commit_point, &mut on_stage).await
        };
        let Some(mut report) = report.filter(|_| commit_point.is_reached() || !stop.is_cancelled()) else {
            return;
        };
        if let Some(withheld) = self.gate.withheld() {
            return send(TestEvent::Refused(match withheld {
                Withheld::Refused => Refusal::SecretRefused,
                Withheld::Busy => Refusal::Limited { retry_after_s: 10 },
                Withheld::Unavailable => Refusal::Unavailable,
            }));
        }
        if Remedies::may_help(&report) {
            send(TestEvent::LookingForFixes);
        }
        tokio::select! {
            () = self.permit.watch(Box::pin(self.find_fixes(&mut report))) => {}
            () = stop.cancelled() => if !commit_point.is_reached() { return },
        }
        let run = Box::new(self.record(report).await);
        // A new test may start as soon as the end was reported.
        drop(self);
        send(TestEvent::Finished(run));
    }

    async fn converse(
        &self,
        commit_point: &TestCommitPoint,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Option<Report> {
        let conversation = Box::pin(self.submitter.submit_committed(&self.submission, commit_point, on_stage));
        let conversation = Box::pin(self.permit.watch(conversation));
        until(self.submission.credentials.as_ref(), conversation, commit_point.stopped_before()).await.flatten()
    }

    /// The same with an access token. One that the server refuses is replaced once: the provider may have ended it
    /// early.
    async fn with_token(
        &mut self,
        commit_point: &TestCommitPoint,
        on_stage: &mut (dyn FnMut(StageEvent) + Send + Sync),
    ) -> Option<Report> {
        let account = self.session.account.clone();
        let mut refused: Option<SecretString> = None;
        loop {
            let token = tokio::select! {
                token = self.permit.watch(Box::pin(self.profiles.secret(&account, &self.row, refused.as_ref()))) => token,
                () = commit_point.stopped_before() => return None,
            };
            let token = match token {
                Ok(Some(token)) => token,
                Ok(None) => return Some(Report::without_conversation(Cause::OauthReconnect)),
                Err(no_secret) => return Some(Report::without_conversation(no_secret.cause())),
            };
            let login = self.row.settings.destination.login.clone();
            let credentials = Credentials::counted(login, token.clone(), self.gate.clone());
            self.submission.credentials = Some(credentials);
            let report = self.converse(commit_point, on_stage).await?;
            if refused.is_none() && is_refused_token(&report) {
                refused = Some(token);
                continue;
            }
            return Some(of_token(report));
        }
    }

    async fn find_fixes(&self, report: &mut Report) {
        let Self { submitter, presets, row, submission, .. } = self;
        Remedies { submitter, presets, row, submission }.find(report).await;
    }

    /// Stores the result. For a profile that was changed meanwhile it is a result of the tested settings: the
    /// fingerprint shows that the profile needs another test.
    async fn record(&self, report: Report) -> TestRun {
        let run = TestRun { at: (self.clock)(), recipient: self.recipient.clone(), report };
        // A mail that may have been sent may arrive.
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
            // Waiting messages of this profile are tried again.
            self.profiles.changed_profile(account, self.row.id, self.row.in_use).await;
        }
        tracing::info!(profile = %self.row.id, ?verdict, ?cause, "test finished");
        run
    }
}
