//! Server side. Finds fixes after a failure. The other ports of the host are tried without a login, the sender's
//! address with a dry run at the same destination. Fixes that cannot be checked are only proposed if the provider's
//! documented settings or the server's reply suggest them.
//!
//! To add a proposal: a variant of [`Fix`], its place in [`Remedies::proposals`].

use std::time::Duration;

use app::{
    diagnosis::{cause::Cause, fix::Fix},
    profile::{
        address::EmailAddress,
        draft::TypedSecret,
        mechanism::Mechanism,
        password::{InnerSpaces, clean},
        preset::{Catalogue, LoginForm, Preset},
        security::Security,
    },
    test_run::{
        event::Stage,
        report::{Report, Verdict},
        survey::Survey,
    },
};
use mail::smtp::{Depth, Submission, Submitter, until};
use secrecy::ExposeSecret;
use tokio::time::sleep;

use crate::store::ProfileRow;

#[cfg(test)]
mod tests;

/// How long a proposal may be checked.
const CHECK: Duration = Duration::from_secs(5);

/// Looks for fixes after a failed test.
pub(crate) struct Remedies<'a> {
    pub submitter: &'a Submitter,
    pub presets: &'a Catalogue,
    pub row: &'a ProfileRow,
    pub submission: &'a Submission,
}

impl Remedies<'_> {
    /// Whether looking for fixes takes time.
    pub fn may_help(report: &Report) -> bool {
        report.verdict == Verdict::Failed && (is_connection_failure(report) || is_sender_refusal(report))
    }

    /// Adds the fixes to the report.
    pub async fn find(&self, report: &mut Report) {
        if report.verdict != Verdict::Failed {
            return;
        }
        if is_connection_failure(report) {
            report.survey = Some(self.submitter.survey(self.submission, &self.known_endpoints()).await);
        }
        report.fixes = self.proposals(report).await;
    }

    async fn proposals(&self, report: &Report) -> Vec<Fix> {
        let mut fixes = Vec::new();
        fixes.extend(report.survey.as_ref().and_then(|survey| self.endpoint(survey)));
        if report.cause == Some(Cause::BadCredentials) {
            fixes.extend(self.spaces());
            fixes.extend(self.login());
            fixes.extend(Self::mechanism(report));
        }
        if is_sender_refusal(report) {
            fixes.extend(self.sender().await);
        }
        fixes
    }

    fn preset(&self) -> Option<&Preset> {
        self.presets.provider_of(&self.row.settings)
    }

    /// The provider's known ports on this host.
    fn known_endpoints(&self) -> Vec<(u16, Security)> {
        let host = &self.row.settings.destination.host;
        let Some(preset) = self.preset() else { return Vec::new() };
        let same_host = |other: &str| other.eq_ignore_ascii_case(host) || preset.host.eq_ignore_ascii_case(other);
        let alternates = preset.alternates.iter().filter(|alternate| same_host(&alternate.host));
        let own = (preset.port, preset.security);
        std::iter::once(own).chain(alternates.map(|alternate| (alternate.port, alternate.security))).collect()
    }

    fn endpoint(&self, survey: &Survey) -> Option<Fix> {
        let endpoint = survey.working()?;
        let here = &self.row.settings.destination;
        Some(if endpoint.port == here.port {
            Fix::Security { security: endpoint.security }
        } else {
            Fix::Port { port: endpoint.port, security: endpoint.security }
        })
    }

    fn spaces(&self) -> Option<Fix> {
        let credentials = self.submission.credentials.as_ref()?;
        let cleaned = clean(credentials.secret.expose_secret(), InnerSpaces::Significant);
        let count = cleaned.removed();
        (count > 0 && TypedSecret::from(cleaned.value).check(InnerSpaces::Significant).is_ok())
            .then_some(Fix::Spaces { count })
    }

    /// The form of the login that the provider documents.
    fn login(&self) -> Option<Fix> {
        let settings = &self.row.settings;
        let login = &settings.destination.login;
        let preset = self.preset()?;
        let wanted = match (preset.login, login.split_once('@')) {
            (LoginForm::LocalPart, Some((local, _))) => local.to_owned(),
            (LoginForm::Address, None) if preset.login_fixed.is_none() => settings.sender_address.to_string(),
            _ => preset.login_fixed.clone().filter(|fixed| fixed != login)?,
        };
        (!wanted.is_empty()).then_some(Fix::Login { login: wanted })
    }

    /// A server may offer a mechanism for which it has no password.
    fn mechanism(report: &Report) -> Option<Fix> {
        let tried = report.mechanism?;
        let encrypted = report.tls.is_some();
        let offered = |mechanism: Mechanism| {
            report
                .capabilities
                .iter()
                .any(|line| line.to_ascii_uppercase().split([' ', '=']).skip(1).any(|word| word == mechanism.name()))
        };
        let keeps_the_password = matches!(tried, Mechanism::ScramSha256 | Mechanism::CramMd5);
        let others = [Mechanism::Plain, Mechanism::Login];
        let mechanism = others.into_iter().find(|mechanism| offered(*mechanism))?;
        (keeps_the_password && encrypted).then_some(Fix::Mechanism { mechanism })
    }

    /// The login's own address as the sender, if the server accepts it: nothing is sent.
    async fn sender(&self) -> Option<Fix> {
        let settings = &self.row.settings;
        let address = EmailAddress::parse(&settings.destination.login).ok()?;
        if address == settings.sender_address {
            return None;
        }
        let from = address.as_str().parse().ok()?;
        let attempt = Submission { from, depth: Depth::Recipients, ..self.submission.clone() };
        let mut ignore = |_| {};
        let conversation = Box::pin(self.submitter.submit(&attempt, &mut ignore));
        let report = until(attempt.credentials.as_ref(), conversation, sleep(CHECK)).await?;
        let taken = report.verdict == Verdict::DryRunOk || report.stage > Stage::MailFrom;
        let still_refused = is_sender_refusal(&report);
        (taken && !still_refused).then_some(Fix::Sender { address })
    }
}

/// Whether the conversation failed before the login.
fn is_connection_failure(report: &Report) -> bool {
    match report.cause {
        Some(
            Cause::ConnectRefused
            | Cause::ConnectTimeout
            | Cause::NetworkUnreachable
            | Cause::DnsFailed
            | Cause::NotSubmissionServer
            | Cause::TlsPortMismatch
            | Cause::TlsHandshakeFailed
            | Cause::TlsVersionUnsupported
            | Cause::StarttlsNotOffered
            | Cause::StarttlsRequired
            | Cause::AuthNotOffered,
        ) => true,
        Some(Cause::Timeout | Cause::ConnectionLost) => report.stage < Stage::Auth,
        _ => false,
    }
}

fn is_sender_refusal(report: &Report) -> bool {
    matches!(report.cause, Some(Cause::SenderRejected | Cause::SenderNotVerified))
}
