//! Server side. One refresh, with the lease held: the request, what to store of its answer, what a failure means.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use app::{
    diagnosis::cause::Cause,
    profile::sending::{HealthSignal, HealthTransition},
    session::AccountId,
    test_run::{port::TestRun, report::Report},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    AccessTokens, CLIENT_RESTS, FIRST_PAUSE, LOOK_EVERY, NoToken, WRITES,
    seal::{login_key, next_refresh},
};
use crate::{
    credentials::binding::PROFILE_SECRET,
    events::profile_transition,
    oauth::{
        client::Client,
        token_endpoint::{self, TokenError, Tokens},
    },
    store::{
        GrantEnd, GrantLease, GrantRow, ProfileRow, Refreshed, SealedSecret,
        outbox::{HealthReport, TransitionEvent},
    },
};

impl AccessTokens {
    /// Requests a token with the lease held, and ends the lease with what came of it. It goes on when its caller is
    /// dropped (a test that is stopped, a request that is cancelled): an answer that is not written may be the last one.
    pub(super) async fn refresh(
        &self,
        client: &Arc<Client>,
        account: &AccountId,
        row: ProfileRow,
        stored: GrantRow,
        lease: GrantLease,
    ) -> Result<SecretString, NoToken> {
        let (tokens, client, account) = (self.clone(), client.clone(), account.clone());
        let task = tokio::spawn(async move { tokens.refresh_leased(&client, (&account, &row), &stored, lease).await });
        task.await.unwrap_or(Err(NoToken::Store))
    }

    async fn refresh_leased(
        &self,
        client: &Client,
        (account, row): (&AccountId, &ProfileRow),
        stored: &GrantRow,
        lease: GrantLease,
    ) -> Result<SecretString, NoToken> {
        let Some(grant) = &row.grant else { return Err(NoToken::Store) };
        let answer = if self.rests(&client.id) {
            let code = "resting".to_owned();
            Err(TokenError::Refused(GrantEnd { cause: Cause::OauthClient, code }))
        } else {
            match self.request(client, stored).await {
                Ok(answer) => answer,
                Err(unreadable) => {
                    if let Err(error) = self.0.parts.store.release_grant(lease).await {
                        error.log();
                    }
                    return Err(unreadable);
                }
            }
        };
        let (tokens, keeps) = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.not_refreshed(client, (account, row), lease, error).await),
        };
        self.0.parts.metrics.token_refreshed(&client.id, "refreshed");
        let destination = row.settings.destination.canonical();
        let sealed = self.seal((account, row.id), (PROFILE_SECRET, &destination), &tokens.access);
        let access = SealedSecret {
            sealed: sealed.map_err(|_| NoToken::Unreadable)?,
            changed_at: grant.granted_at,
            login_key: login_key(grant.id),
        };
        let refresh = match keeps {
            Some(token) => {
                let sealed = self.seal_refresh((&stored.client, &stored.tokens.issuer), (account, row.id), &token);
                Some(sealed.map_err(|_| NoToken::Unreadable)?)
            }
            None => None,
        };
        let answer = Refreshed {
            refresh,
            access,
            access_ends_at: tokens.access_ends_at,
            next_refresh_at: next_refresh(self.now()),
        };
        // Written however long the disk takes: the old refresh token may be worthless now.
        for _ in 0..WRITES {
            match self.0.parts.store.refresh_grant(lease, &answer, &destination).await {
                Ok(true) => return Ok(tokens.access),
                Ok(false) => return Err(NoToken::Unavailable { retry_after: LOOK_EVERY }),
                Err(error) => drop(error.log()),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(NoToken::Store)
    }

    /// The answer of the token endpoint, and what to store of the refresh tokens; `None`: what is stored stays.
    async fn request(
        &self,
        client: &Client,
        stored: &GrantRow,
    ) -> Result<Result<(Tokens, Option<SecretString>), TokenError>, NoToken> {
        // The client's configuration may name another provider by now: its token endpoint must not get this token.
        if !client.issuer.accepts(&stored.tokens.issuer, None) {
            let code = "issuer".to_owned();
            return Ok(Err(TokenError::Refused(GrantEnd { cause: Cause::OauthReconnect, code })));
        }
        let (newest, before) = self.open_refresh(stored).map_err(|_| NoToken::Unreadable)?;
        let endpoints = match self.0.parts.provider.endpoints.of(&client.endpoints).await {
            Ok(endpoints) => endpoints,
            Err(error) => return Ok(Err(error.into())),
        };
        let (requests, at) = (&self.0.parts.provider.requests, (client, &endpoints));
        let mut used = newest;
        let mut answer = token_endpoint::refresh(requests, at, &used, self.now()).await;
        if let (Err(TokenError::Refused(end)), Some(before)) = (&answer, &before)
            && end.cause == Cause::OauthReconnect
        {
            used = before.clone();
            answer = token_endpoint::refresh(requests, at, &used, self.now()).await;
        }
        Ok(answer.and_then(|tokens| {
            let has_scope =
                |scopes: &String| scopes.split(' ').any(|scope| scope.eq_ignore_ascii_case(&client.mail_scope));
            if !tokens.scopes.as_ref().is_none_or(has_scope) {
                let code = "scope".to_owned();
                return Err(TokenError::Refused(GrantEnd { cause: Cause::OauthReconnect, code }));
            }
            let new = tokens.refresh.as_ref().filter(|new| new.expose_secret() != used.expose_secret());
            let keeps = match new {
                Some(new) => Some(SecretString::from(format!("{}\n{}", new.expose_secret(), used.expose_secret()))),
                None => before.is_some().then_some(used),
            };
            Ok((tokens, keeps))
        }))
    }

    /// Ends the lease after a failure, and says what it means.
    async fn not_refreshed(
        &self,
        client: &Client,
        (account, row): (&AccountId, &ProfileRow),
        lease: GrantLease,
        error: TokenError,
    ) -> NoToken {
        let store = &self.0.parts.store;
        let profile = row.id;
        let temporary = match error {
            TokenError::Temporary { code, retry_after } => Ok((code, retry_after)),
            // The provider's fault: the grant may work again.
            TokenError::Incomplete(what) => Ok((what.to_owned(), None)),
            TokenError::Refused(end) => Err(end),
        };
        let end = match temporary {
            Ok((code, retry_after)) => {
                self.0.parts.metrics.token_refreshed(&client.id, "unavailable");
                tracing::warn!(%profile, client = client.id, code, "a token could not be refreshed now");
                if let Err(error) = store.release_grant(lease).await {
                    error.log();
                }
                return NoToken::Unavailable { retry_after: retry_after.unwrap_or(FIRST_PAUSE) };
            }
            Err(end) => end,
        };
        let GrantEnd { cause, code } = &end;
        self.0.parts.metrics.token_refreshed(&client.id, cause.as_str());
        let written = if *cause == Cause::OauthClient {
            if self.rest(&client.id) {
                tracing::error!(client = client.id, code, "the provider refuses this registration");
            }
            store.release_grant(lease).await
        } else {
            tracing::warn!(%profile, client = client.id, cause = cause.as_str(), code, "a grant has ended");
            store.end_grant(lease, &end).await.map(drop)
        };
        if let Err(error) = written {
            error.log();
            return NoToken::Store;
        }
        self.tell(account, row, *cause).await;
        NoToken::Ended(*cause)
    }

    /// The profile is broken at once: further attempts cannot succeed.
    async fn tell(&self, account: &AccountId, row: &ProfileRow, cause: Cause) {
        let now = self.now();
        let report = Report::without_conversation(cause);
        let failure = TestRun { at: now, recipient: row.settings.sender_address.to_string(), report };
        let health = HealthReport {
            profile: row.id,
            fingerprint: row.fingerprint(),
            signal: HealthSignal::Ended(cause),
            failure: Some(Box::new(failure)),
            check: false,
        };
        let tell = self.0.parts.webhook_portals.contains(&account.portal);
        let event = tell.then_some(profile_transition as TransitionEvent);
        match self.0.parts.store.record_health(account, &health, now, event).await {
            Ok(Some(HealthTransition::Broke(_))) => tracing::info!(profile = %row.id, "profile broken"),
            Ok(_) => {}
            Err(error) => drop(error.log()),
        }
    }

    fn rests(&self, client: &str) -> bool {
        let resting = self.0.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(client).is_some_and(|since| since.elapsed() < CLIENT_RESTS)
    }

    /// Leaves a client alone for a while; `false` if that is already so.
    fn rest(&self, client: &str) -> bool {
        let mut resting = self.0.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.get(client).is_some_and(|since| since.elapsed() < CLIENT_RESTS) {
            return false;
        }
        resting.insert(client.to_owned(), Instant::now());
        true
    }
}
