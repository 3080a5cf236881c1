//! Server side. An access token for a login: the stored one, or a new one for the refresh token.
//!
//! One refresh at a time, in all processes: a lease on the grant's row. Microsoft replaces the refresh token with each
//! answer, and others revoke a grant whose old token is used again. The previous token is kept beside a new one until
//! that has worked once. An answer that a crash loses leaves the old token in place.
//!
//! A failure is one of three kinds, which are never mixed: the provider does not answer (mail waits, and nothing is
//! wrong with the profile), the grant has ended (its owner must act), or the registration does not work (the operator
//! must act).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use app::{diagnosis::cause::Cause, services::Clock, session::AccountId};
use jiff::{SignedDuration, Timestamp};
use mail::net::Network;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    client::{Client, Clients},
    endpoints::EndpointCache,
    id_token::IdTokens,
    requests::Requests,
};
use crate::{
    credentials::{Binding, Vault, binding::PROFILE_SECRET},
    metrics::Metrics,
    store::{Grant, GrantLease, GrantRow, ProfileRow, Store, StoreError},
};

mod refresh;
mod seal;

pub use seal::NewGrant;

/// A token is replaced when it ends within this time.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// How long one process may take for a refresh: the request, and writing the answer.
const LEASE: SignedDuration = SignedDuration::from_secs(45);
/// How long a login waits for another process's refresh.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks at that.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often an answer is written again while the store is unavailable.
const WRITES: u32 = 20;
/// The first pause after a provider did not answer.
pub const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// How long a registration that does not work is left alone.
const CLIENT_RESTS: Duration = Duration::from_secs(300);
/// An unused grant is refreshed after this time, give or take a fifth.
const UNUSED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Why there is no access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// The owner, an administrator or the operator must act: see the cause.
    #[error("the permission to send does not work: {}", .0.as_str())]
    Ended(Cause),
    /// The provider does not answer at present, or another process is busy with the grant.
    #[error("the provider's token endpoint is unavailable")]
    Unavailable { retry_after: Duration },
    #[error("the tokens cannot be opened")]
    Unreadable,
    #[error("the store is unavailable")]
    Store,
}

impl NoToken {
    /// The cause to show.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Ended(cause) => cause,
            Self::Unavailable { .. } | Self::Store => Cause::OauthUnavailable,
            Self::Unreadable => Cause::OauthReconnect,
        }
    }
}

/// Requests to providers, and what is remembered of them.
#[derive(Clone)]
pub struct ProviderAccess {
    pub requests: Requests,
    pub endpoints: EndpointCache,
    pub id_tokens: IdTokens,
}

impl ProviderAccess {
    pub fn new(network: &Arc<Network>, clock: &Clock) -> Self {
        let requests = Requests::new(network.clone());
        Self {
            endpoints: EndpointCache::new(requests.clone(), clock.clone()),
            id_tokens: IdTokens::new(requests.clone(), clock.clone()),
            requests,
        }
    }
}

/// What [`AccessTokens`] needs.
pub struct AccessParts {
    pub store: Arc<dyn Store>,
    pub vault: Vault,
    pub clients: Clients,
    pub provider: ProviderAccess,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Portals with a webhook.
    pub webhook_portals: Arc<[String]>,
}

/// Provides access tokens.
#[derive(Clone)]
pub struct AccessTokens(Arc<Shared>);

struct Shared {
    parts: AccessParts,
    /// One refresh of a grant at a time in this process, so that not every login asks the store.
    turns: Mutex<HashMap<Uuid, Weak<tokio::sync::Mutex<()>>>>,
    /// Clients that do not work, and since when.
    resting: Mutex<HashMap<String, Instant>>,
}

impl AccessTokens {
    pub fn new(parts: AccessParts) -> Self {
        Self(Arc::new(Shared { parts, turns: Mutex::default(), resting: Mutex::default() }))
    }

    /// What it was made of.
    pub(crate) fn parts(&self) -> &AccessParts {
        &self.0.parts
    }

    pub fn clients(&self) -> &Clients {
        &self.0.parts.clients
    }

    fn now(&self) -> Timestamp {
        (self.0.parts.clock)()
    }

    /// A token to log in with. `refused`: the one that the mail server has just refused.
    pub async fn access(
        &self,
        account: &AccountId,
        row: &ProfileRow,
        grant: &Grant,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, NoToken> {
        self.client_of(account, row, grant)?;
        if let Some(token) = self.fresh(account, row, refused) {
            return Ok(token);
        }
        let turn = self.turn(grant.id);
        let began = Instant::now();
        let Ok(_turn) = tokio::time::timeout(PATIENCE, turn.lock()).await else {
            return Err(NoToken::Unavailable { retry_after: LOOK_EVERY });
        };
        let store = &self.0.parts.store;
        let failed = |error: StoreError| {
            error.log();
            NoToken::Store
        };
        while began.elapsed() < PATIENCE {
            // It may have been refreshed, replaced or ended meanwhile.
            let row = store.profile(account, row.id).await.map_err(failed)?;
            let same = |row: &ProfileRow| row.grant.as_ref().is_some_and(|now| now.id == grant.id);
            let Some(row) = row.filter(same) else { return Err(NoToken::Unavailable { retry_after: LOOK_EVERY }) };
            let Some(grant) = &row.grant else { return Err(NoToken::Store) };
            let client = self.client_of(account, &row, grant)?.clone();
            if let Some(token) = self.fresh(account, &row, refused) {
                return Ok(token);
            }
            let stored = store.grant(grant.id).await.map_err(failed)?.ok_or(NoToken::Store)?;
            let lease = GrantLease { id: stored.id, version: stored.version, token: Uuid::new_v4() };
            let now = self.now();
            if store.lease_grant(lease, now, now + LEASE).await.map_err(failed)? {
                return self.refresh(&client, account, row, stored, lease).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(NoToken::Unavailable { retry_after: LOOK_EVERY })
    }

    /// The client of a grant that still works, for the destination of its profile: a token is sent nowhere else.
    fn client_of(&self, account: &AccountId, row: &ProfileRow, grant: &Grant) -> Result<&Arc<Client>, NoToken> {
        if let Some(end) = &grant.ended {
            return Err(NoToken::Ended(end.cause));
        }
        let client = self.0.parts.clients.get(&account.portal, &grant.client);
        client
            .filter(|client| client.may_log_in_at(&row.settings.destination))
            .ok_or(NoToken::Ended(Cause::OauthClient))
    }

    /// The stored token, if it lasts and is not the refused one.
    fn fresh(&self, account: &AccountId, row: &ProfileRow, refused: Option<&SecretString>) -> Option<SecretString> {
        let ends_at = row.grant.as_ref().and_then(|grant| grant.access_ends_at);
        let (secret, ends_at) = row.secret.as_ref().zip(ends_at)?;
        if ends_at <= self.now() + EARLY {
            return None;
        }
        let destination = row.settings.destination.canonical();
        let binding = Binding { account, profile: row.id, field: PROFILE_SECRET, destination: &destination };
        // One that cannot be opened is replaced.
        let token = self.0.parts.vault.open(&secret.sealed, &binding).ok()?;
        let is_refused = refused.is_some_and(|refused| refused.expose_secret() == token.expose_secret());
        (!is_refused).then_some(token)
    }

    fn turn(&self, grant: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&grant).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(grant, Arc::downgrade(&turn));
        turn
    }

    /// Refreshes a grant that nothing was sent with, so that it does not expire.
    pub async fn keep_alive(&self, stored: &GrantRow) -> Result<(), NoToken> {
        let store = &self.0.parts.store;
        let failed = |error: StoreError| {
            error.log();
            NoToken::Store
        };
        let Some(row) = store.profile(&stored.account, stored.profile).await.map_err(failed)? else { return Ok(()) };
        let Some(grant) = row.grant.as_ref().filter(|grant| grant.id == stored.id) else { return Ok(()) };
        let client = self.client_of(&stored.account, &row, grant)?.clone();
        let turn = self.turn(stored.id);
        let _turn = turn.lock().await;
        let lease = GrantLease { id: stored.id, version: stored.version, token: Uuid::new_v4() };
        let now = self.now();
        if store.lease_grant(lease, now, now + LEASE).await.map_err(failed)? {
            self.refresh(&client, &stored.account, row, stored.clone(), lease).await?;
        }
        Ok(())
    }
}
