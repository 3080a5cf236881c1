//! Server side. Keeps unused grants alive, and revokes those that no profile uses any more.
//!
//! A refresh token ends when it is not used for 90 days (Microsoft) or six months (Google). A refresh every two weeks
//! also finds out that a grant has ended before a message does.

use std::time::Duration;

use jiff::{SignedDuration, civil::Date};
use tokio_util::sync::CancellationToken;

use super::{access::AccessTokens, token_endpoint::revoke};
use crate::{
    replicas::{Place, Replicas},
    store::GrantRow,
};

/// How often due and detached grants are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// How often a replica tries to become the one that does this.
const OTHERS_TURN: Duration = Duration::from_secs(10);
/// Grants read with one query.
const SOME: u32 = 32;
/// When a grant is tried again that could not be refreshed.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// Pause between two requests.
const PACE: Duration = Duration::from_secs(1);
/// Once in this many rounds the clients' secrets are checked, and the grants are counted.
const ROUNDS: u32 = 15;
/// How long before its end a client secret is warned about.
const WARNED_DAYS: i32 = 30;

/// Looks after the grants of every account, in one replica at a time.
pub struct Keeper {
    pub tokens: AccessTokens,
    pub replicas: Replicas,
}

impl Keeper {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if self.tokens.clients().0.is_empty() {
            return;
        }
        let mut turn: Option<Place> = None;
        let (mut round, mut warned) = (0, None);
        loop {
            if round % ROUNDS == 0 {
                warned = Some(self.warn_of_secrets(warned));
                self.count().await;
            }
            round = round.wrapping_add(1);
            if !turn.as_ref().is_some_and(Place::is_held) {
                turn = self.replicas.take_turn(|| "oauth".to_owned()).await;
            }
            let pause = if turn.is_some() { LOOK_EVERY } else { OTHERS_TURN };
            let work = async {
                if turn.is_some() {
                    self.once().await;
                }
                tokio::time::sleep(pause).await;
            };
            if stop.run_until_cancelled(work).await.is_none() {
                return;
            }
        }
    }

    /// Refreshes what is due, and revokes what is detached.
    pub async fn once(&self) {
        let (store, now) = (&self.tokens.parts().store, (self.tokens.parts().clock)());
        let due = store.grants_to_refresh(now, SOME).await.unwrap_or_else(|error| {
            error.log();
            Vec::new()
        });
        for grant in due {
            // A provider that is down for a day is asked once an hour.
            if let Err(error) = store.postpone_refresh(grant.id, now + AGAIN).await {
                return drop(error.log());
            }
            // Its outcome is logged and counted there.
            let _ = self.tokens.keep_alive(&grant).await;
            tokio::time::sleep(PACE).await;
        }
        let detached = store.detached_grants(None, SOME).await.unwrap_or_else(|error| {
            error.log();
            Vec::new()
        });
        for grant in detached {
            self.revoke(&grant).await;
            if let Err(error) = store.forget_grant(grant.id).await {
                error.log();
            }
        }
    }

    /// Revokes a grant at its provider, once: the owner can also withdraw the permission there. Revoking ends every
    /// grant of the person for the client, so it is left out while another profile uses one.
    async fn revoke(&self, grant: &GrantRow) {
        let clients = self.tokens.clients();
        let Some(client) = clients.0.iter().find(|client| client.id == grant.client) else { return };
        if !client.issuer.accepts(&grant.tokens.issuer, None) {
            return;
        }
        match self.tokens.parts().store.has_twin(grant).await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => return drop(error.log()),
        }
        let Ok(endpoints) = self.tokens.parts().provider.endpoints.of(&client.endpoints).await else { return };
        let Some(endpoint) = endpoints.revocation else { return };
        let Ok((token, _)) = self.tokens.open_refresh(grant) else { return };
        match revoke(&self.tokens.parts().provider.requests, client, &endpoint, &token).await {
            Ok(()) => tracing::info!(client = client.id, grant = %grant.id, "grant revoked"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(client = client.id, grant = %grant.id, error, "a grant could not be revoked");
            }
        }
    }

    /// Warns once a day. Returns the day.
    fn warn_of_secrets(&self, warned: Option<Date>) -> Date {
        let today = (self.tokens.parts().clock)().to_zoned(jiff::tz::TimeZone::UTC).date();
        for client in &self.tokens.clients().0 {
            let Some(expires) = client.secret_expires else { continue };
            let days = today.until(expires).map_or(0, |span| span.get_days());
            self.tokens.parts().metrics.client_secret_expires(&client.id, expires);
            if warned == Some(today) {
                continue;
            }
            if days < 0 {
                tracing::error!(client = client.id, %expires, "the client secret has expired");
            } else if days <= WARNED_DAYS {
                tracing::warn!(client = client.id, %expires, days, "the client secret expires soon");
            }
        }
        today
    }

    async fn count(&self) {
        match self.tokens.parts().store.count_grants().await {
            Ok(counts) => self.tokens.parts().metrics.count_grants(&counts),
            Err(error) => drop(error.log()),
        }
    }
}
