//! Server side. Conversations without a message: whether a profile works, or works again.

use std::sync::Arc;

use app::{
    diagnosis::cause::Cause,
    profile::sending::{HealthSignal, HealthTransition},
    session::AccountId,
    test_run::{event::Stage, report::Verdict},
};
use mail::smtp::{Depth, Letter, Submission, until};
use secrecy::SecretString;

use super::{
    Outbox,
    destinations::{DestinationId, DestinationRef, key::profile_key},
    route::Route,
    shared::{TAKEN, taken_by_others},
};
use crate::{
    admission::{Claimant, Party},
    credentials::logins::{LoginGuard, MOST_REFUSALS},
    events::profile_transition,
    oauth::NoToken,
    profiles::{ChangeListener, NoSecret, fingerprint},
    store::{
        ProfileRow,
        outbox::{HealthReport, TransitionEvent},
    },
    submission::{of_token, submission},
};

impl Outbox {
    /// Whether a message may probe a held profile: only where no other conversation would find out. Otherwise a login
    /// check starts in the background. A password that was refused three times is left alone until it is changed.
    pub(super) async fn may_probe_with_message(self: &Arc<Self>, route: &Route, changes: u64) -> bool {
        let Some(row) = route.profile() else { return true };
        let (id, destination, cause) = (route.id(), route.destination_key(), row.health.failing_cause);
        if row.secret_refusals >= MOST_REFUSALS {
            self.rest(DestinationRef { id: &id, key: &destination }, cause, false, |_| self.options.longest_retry)
                .await;
            return false;
        }
        if cause.is_some_and(shows_with_a_message_only) {
            return true;
        }
        let Ok(slot) = self.admission.enter(&route.claimant()) else { return false };
        let Some(place) = self.destinations.enter(&id, 1) else { return false };
        let (outbox, account, row) = (self.clone(), route.account.clone(), row.clone());
        self.tasks.spawn(async move {
            // No other probe of this profile runs at the same time, in any replica.
            if outbox.replicas.is_shared() {
                outbox.destinations.close(&id);
            }
            outbox.destinations.wait_for_room(&id, 1).await;
            let shared = outbox.shared_places(&Party::Account(account.clone()), &destination, 1).await;
            let Some(_shared) = shared else {
                return outbox.ready(|ready| ready.skip(taken_by_others(&destination), TAKEN));
            };
            let well = slot.watch(Box::pin(outbox.check(&account, &row))).await == HealthSignal::Well;
            // After a change, the profile is tried at once.
            if !well && outbox.changes.now(&account) == changes {
                let tries = row.health.failures.saturating_sub(1);
                outbox.rest(DestinationRef { id: &id, key: &destination }, cause, true, |_| outbox.wait(tries)).await;
            }
            drop((place, slot));
            outbox.conversation_ended(destination);
        });
        false
    }

    /// The same with the slots and places of a conversation; `None` when none are free.
    pub(super) fn check_with_slots<'a>(
        &'a self,
        account: &'a AccountId,
        row: &'a ProfileRow,
    ) -> Option<impl Future<Output = Option<HealthSignal>> + 'a> {
        let id = DestinationId::Profile(row.id);
        let claimant = Claimant::new(Party::Account(account.clone()), &row.settings.destination.host);
        let slot = self.admission.enter(&claimant).ok()?;
        let place = self.destinations.enter(&id, self.most_connections(row))?;
        Some(async move {
            let party = Party::Account(account.clone());
            self.destinations.wait_for_room(&id, self.most_connections(row)).await;
            let _shared = self.shared_places(&party, &profile_key(account, row.id), self.most_connections(row)).await?;
            let told = slot.watch(Box::pin(self.check(account, row))).await;
            drop((place, slot));
            self.conversation_ended(profile_key(account, row.id));
            Some(told)
        })
    }

    /// Reports the refusals of a process that was killed after it counted the third refusal and before it wrote the
    /// outcome. They count as failures until the profile is broken, which is reported once.
    pub(super) async fn tell_of_refusals(&self, account: &AccountId, row: &ProfileRow) {
        if row.health.is_broken() {
            return;
        }
        let (signal, fingerprint) = (HealthSignal::Failed(Cause::BadCredentials), fingerprint(row));
        let health = HealthReport { profile: row.id, fingerprint, signal, failure: None, check: false };
        let tell = self.has_webhook(&account.portal).then_some(profile_transition as TransitionEvent);
        for _ in 0..MOST_REFUSALS {
            match self.store.record_health(account, &health, self.now(), tell).await {
                Ok(None) => {}
                Ok(Some(_)) => return,
                Err(error) => return drop(error.log()),
            }
        }
    }

    /// Logs in and names the sender, sends no message, and records what that says about the profile's health.
    pub(super) async fn check(&self, account: &AccountId, row: &ProfileRow) -> HealthSignal {
        let gate = self.profiles.gate(row);
        let secret = match self.profiles.secret(account, row, None).await {
            Ok(secret) => secret,
            // That says nothing about the profile.
            Err(NoSecret::Token(NoToken::Unavailable { .. } | NoToken::Store)) => return HealthSignal::Passed,
            Err(NoSecret::Token(NoToken::Ended(cause))) => return HealthSignal::Ended(cause),
            Err(NoSecret::Unreadable | NoSecret::Token(NoToken::Unreadable)) => None,
        };
        let report = match secret.and_then(|secret| login_check_submission(row, secret, &gate)) {
            Some(submission) => {
                let mut ignore = |_| {};
                let conversation = Box::pin(self.submitter.submit(&submission, &mut ignore));
                until(submission.credentials.as_ref(), conversation, self.stop.cancelled()).await
            }
            None => None,
        };
        if gate.withheld().is_some() || self.stop.is_cancelled() {
            // The login was not tried, so this says nothing about the profile.
            return HealthSignal::Failed(Cause::BadCredentials);
        }
        let report = if row.grant.is_some() { report.map(of_token) } else { report };
        // Whether the sender's own mailbox takes mail does not matter here.
        let well =
            report.as_ref().is_some_and(|report| report.verdict == Verdict::DryRunOk || report.stage > Stage::MailFrom);
        let cause = report.as_ref().and_then(|report| report.cause);
        let shows = !row.health.failing_cause.is_some_and(shows_with_a_message_only);
        let told = match (well, shows) {
            (true, true) => HealthSignal::Well,
            (true, false) => HealthSignal::Passed,
            (false, _) => HealthSignal::Failed(cause.unwrap_or(Cause::Unknown)),
        };
        let health =
            HealthReport { profile: row.id, fingerprint: fingerprint(row), signal: told, failure: None, check: true };
        let tell = self.has_webhook(&account.portal).then_some(profile_transition as TransitionEvent);
        match self.store.record_health(account, &health, self.now(), tell).await {
            Ok(Some(HealthTransition::Recovered)) => self.changed_profile(account, row.id, row.in_use).await,
            Ok(_) => {}
            Err(error) => drop(error.log()),
        }
        tracing::info!(profile = %row.id, well, cause = cause.map(Cause::as_str), "profile checked");
        told
    }
}

/// A conversation that ends before the message.
fn login_check_submission(row: &ProfileRow, secret: SecretString, gate: &Arc<LoginGuard>) -> Option<Submission> {
    let sender = row.settings.sender_address.as_str().parse::<lettre::Address>().ok()?;
    let letter = Letter::empty(&sender);
    let submission = submission(&row.settings.destination, Some((secret, gate.clone())), &letter, vec![sender]).ok()?;
    Some(Submission { depth: Depth::Recipients, ..submission })
}

/// Causes that a conversation without a message cannot detect.
const fn shows_with_a_message_only(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::DomainAuthentication
            | Cause::IpBlocked
            | Cause::SandboxRestricted
            | Cause::QuotaExceeded
            | Cause::Unknown
            | Cause::ProtocolError
    )
}
