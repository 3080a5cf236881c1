//! Server side. A profile as the pages show it.

use app::{
    diagnosis::cause::Cause,
    profile::{
        model::{Profile, SecretState, TestState},
        sending::SendState,
    },
    session::AccountId,
    sign_in::signed_in::SignedIn,
    test_run::report::Verdict,
};

use jiff::Timestamp;

use super::{ProfileService, fingerprint};
use crate::store::{Grant, ProfileRow};

impl ProfileService {
    /// The part of a row that pages may show.
    pub(crate) fn shown(&self, account: &AccountId, row: &ProfileRow) -> Profile {
        let secret = match (&row.secret, self.open(account, row)) {
            // A token that cannot be opened is replaced by another one.
            _ if row.grant.is_some() => {
                SecretState::Stored { changed_at: row.grant.as_ref().map_or(Timestamp::UNIX_EPOCH, |it| it.granted_at) }
            }
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
        let signed_in = row.grant.as_ref().map(|grant| self.signed_in(account, grant));
        Profile { id, settings, encoding, in_use, secret, signed_in, test, sending, health, sends, candidate, revision }
    }

    fn signed_in(&self, account: &AccountId, grant: &Grant) -> SignedIn {
        let client = self.tokens.as_ref().and_then(|tokens| tokens.clients().get(&account.portal, &grant.client));
        let (ended, code) = grant.ended.clone().map(|end| (end.cause, end.code)).unzip();
        SignedIn {
            client: grant.client.clone(),
            provider: client.map_or_else(|| grant.client.clone(), |client| client.name.clone()),
            identity: grant.identity.clone(),
            since: grant.granted_at,
            // A registration that was removed from the configuration: the operator must act.
            ended: ended.or_else(|| client.is_none().then_some(Cause::OauthClient)),
            code,
            admin_consent_url: client.and_then(|client| client.admin_consent_url()),
            permissions_page: client.and_then(|client| client.permissions_page).map(str::to_owned),
            shared_mailboxes: client.is_some_and(|client| client.shared_mailboxes),
        }
    }
}
