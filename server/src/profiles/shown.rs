//! Server side. A profile as the pages show it.

use app::{
    profile::{
        model::{Profile, SecretState, TestState},
        sending::SendState,
    },
    session::AccountId,
    test_run::report::Verdict,
};

use super::{ProfileService, fingerprint};
use crate::store::ProfileRow;

impl ProfileService {
    /// The part of a row that pages may show.
    pub(crate) fn shown(&self, account: &AccountId, row: &ProfileRow) -> Profile {
        let secret = match (&row.secret, self.open(account, row)) {
            (Some(secret), Ok(_)) => SecretState::Stored { changed_at: secret.changed_at },
            (None, _) => SecretState::Missing,
            (Some(_), Err(error)) => {
                tracing::warn!(profile = %row.id, error = &error as &dyn std::error::Error, "secret unreadable");
                SecretState::Unreadable
            }
        };
        let test = match &row.tested {
            None => TestState::Never,
            Some(tested) if tested.fingerprint != fingerprint(row) => TestState::Changed,
            Some(tested) => match (tested.verdict, tested.received()) {
                (Verdict::Failed, _) => TestState::Failed { at: tested.at, cause: tested.cause },
                (_, Some(at)) => TestState::Received { at, tested: tested.at },
                (Verdict::Accepted | Verdict::DryRunOk, None) => TestState::Accepted { at: tested.at },
                (Verdict::DeliveryUnknown, None) => TestState::DeliveryUnknown { at: tested.at },
            },
        };
        let ProfileRow { id, encoding, in_use, sending, health, revision, .. } = *row;
        let current = row.signed_fingerprint == Some(fingerprint(row));
        let sends = if current { health.state() } else { SendState::Unknown };
        let (settings, candidate) = (row.settings.clone(), row.candidate());
        Profile { id, settings, encoding, in_use, secret, test, sending, health, sends, candidate, revision }
    }
}
