//! Server side. The access token of a profile whose owner signed in at a provider. Requesting one may take seconds, so
//! the worker does it, not the dispatcher.

use std::{sync::Arc, time::Duration};

use app::{diagnosis::cause::Cause, test_run::report::Report};
use mail::smtp::{Credentials, LoginGate, Submission};
use secrecy::SecretString;
use uuid::Uuid;

use super::{Next, Worker};
use crate::{
    credentials::logins::LoginGuard,
    oauth::NoToken,
    outbox::{destinations::DestinationRef, route::Server},
    profiles::NoSecret,
    store::ProfileRow,
    submission::is_refused_token,
};

impl Worker<'_> {
    /// The profile, if its owner signed in.
    fn signed_in(&self) -> Option<&ProfileRow> {
        match &self.route.server {
            Server::Profile(row) if row.grant.is_some() => Some(row),
            _ => None,
        }
    }

    pub(super) fn uses_a_token(&self) -> bool {
        self.signed_in().is_some()
    }

    async fn token(&self, refused: Option<&SecretString>) -> Result<Option<SecretString>, NoSecret> {
        let Some(row) = self.signed_in() else { return Ok(None) };
        let token = self.outbox.profiles.secret(&self.route.account, row, refused);
        self.slot.watch(Box::pin(token)).await
    }

    /// Provides the access token, where the route needs one. Without it, the messages wait; no attempt is counted.
    pub(super) async fn ensure_token(&mut self) -> Result<(), Next> {
        if self.route.secret.is_some() || !self.uses_a_token() {
            return Ok(());
        }
        match self.token(None).await {
            Ok(token) => {
                self.route.secret = token;
                Ok(())
            }
            Err(no_secret) => Err(self.after_no_token(no_secret).await),
        }
    }

    /// Replaces a token that the server refused. `Ok(false)`: the refusal is not about a token. Without another token,
    /// the messages wait: it is the permission that has ended, not the message that failed.
    pub(super) async fn renew_token(
        &mut self,
        message: Uuid,
        report: &Report,
        submission: &mut Submission,
        gate: Option<Arc<LoginGuard>>,
    ) -> Result<bool, Next> {
        if !self.uses_a_token() || !is_refused_token(report) || self.renewed_for.replace(message) == Some(message) {
            return Ok(false);
        }
        let refused = self.route.secret.take();
        let token = match self.token(refused.as_ref()).await {
            Ok(token) => token,
            Err(no_secret) => return Err(self.after_no_token(no_secret).await),
        };
        let (Some(token), Some(gate)) = (token, gate) else { return Ok(false) };
        let login = self.route.destination().login.clone();
        submission.credentials = Some(Credentials::counted(login, token.clone(), gate as Arc<dyn LoginGate>));
        self.route.secret = Some(token);
        Ok(true)
    }

    /// The messages wait with the server's back-off, which shows the reason. A change of the profile ends it.
    async fn after_no_token(&mut self, why: NoSecret) -> Next {
        let (id, probe) = (self.route.id(), std::mem::take(&mut self.probe));
        let server = DestinationRef { id: &id, key: &self.destination };
        let options = &self.outbox.options;
        match why {
            NoSecret::Token(NoToken::Unavailable { retry_after }) => {
                let wait = |tries| self.outbox.wait(tries).max(retry_after);
                self.outbox.rest(server, Some(Cause::OauthUnavailable), probe, wait).await;
            }
            NoSecret::Token(NoToken::Store) => return Next::GiveBack { this: true, after: options.first_retry },
            why => self.outbox.rest(server, Some(why.cause()), probe, |_| options.longest_retry).await,
        }
        Next::GiveBack { this: true, after: Duration::ZERO }
    }
}
