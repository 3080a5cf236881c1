//! Server side. Whether a transaction may begin, and what happens to the messages when the login may not be tried.

use std::time::Duration;

use app::diagnosis::cause::Cause;
use tokio::time::Instant;

use super::{Next, ONCE_MORE, PATIENCE, TRUSTED, Worker};
use crate::{
    credentials::logins::{MOST_REFUSALS, Withheld},
    outbox::{destinations::DestinationRef, route::Server},
    store::outbox::{StoredMessage, Via},
};

impl Worker<'_> {
    /// Whether a transaction may begin: no shutdown, the route is unchanged, and the server is not in back-off.
    pub(super) async fn may_send(&mut self, message: &StoredMessage) -> Result<(), Next> {
        self.may_go_on(message).await?;
        let id = self.route.id();
        while let Err(wait) = self.outbox.acquire_permit(&id, &self.destination, self.route.per_minute).await {
            // While it waits, a conversation needs no worker.
            if wait > PATIENCE || !self.slot.step_aside() {
                return Err(Next::GiveBack { this: true, after: wait });
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.outbox.stop.cancelled() => {
                    return Err(Next::GiveBack { this: true, after: Duration::ZERO });
                }
            }
        }
        Ok(())
    }

    /// The same for a message that already has its permit.
    pub(super) async fn may_go_on(&mut self, message: &StoredMessage) -> Result<(), Next> {
        let now_and_all = || Next::GiveBack { this: true, after: Duration::ZERO };
        if self.outbox.stop.is_cancelled() || !self.place.is_held() || !self.is_still_the_route(message).await {
            return Err(now_and_all());
        }
        let id = self.route.id();
        if !self.probe && self.outbox.destinations.blocked(&id).is_some() {
            return Err(now_and_all());
        }
        Ok(())
    }

    /// Looks the route up again after a change. `false`: the message takes another route.
    async fn is_still_the_route(&mut self, message: &StoredMessage) -> bool {
        let changes = self.outbox.changes.now(&self.route.account);
        if changes == self.changes && self.looked_up.elapsed() < TRUSTED {
            return true;
        }
        let Ok(route) = self.outbox.route(&message.lane, message.fallback).await else { return false };
        if route.id() != self.route.id()
            || route.profile().is_some_and(|row| row.health.is_held() && route.via == Via::Profile)
        {
            return false;
        }
        if route.fingerprint() != self.route.fingerprint() {
            self.close();
        }
        (self.changes, self.looked_up, self.route) = (changes, Instant::now(), route);
        true
    }

    /// Waits until the previous connection is closed: the next one needs its place.
    pub(super) async fn closed(&mut self) {
        if let Some(parting) = self.parting.take() {
            parting.ended().await;
        }
    }

    fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.parting = Some(connection.close());
        }
    }

    /// Whether the login would not be tried because it was refused three times.
    pub(super) fn is_known_to_be_refused(&self) -> bool {
        matches!(&self.route.server, Server::Profile(row) if row.secret_refusals >= MOST_REFUSALS)
    }

    /// Handles a login that was not tried. After three refusals it waits for a change; if another conversation is
    /// trying the login, it is retried soon.
    pub(super) async fn after_no_login(&mut self, why: Withheld) -> Next {
        let after = match why {
            Withheld::Refused => {
                let rest = self.outbox.options.longest_retry;
                let (id, probe) = (self.route.id(), std::mem::take(&mut self.probe));
                if let Some(row) = self.route.profile() {
                    self.outbox.tell_of_refusals(&self.route.account, row).await;
                }
                // The messages wait with the server's back-off, which shows the reason.
                let server = DestinationRef { id: &id, key: &self.destination };
                self.outbox.rest(server, Some(Cause::BadCredentials), probe, |_| rest).await;
                Duration::ZERO
            }
            Withheld::Busy => ONCE_MORE,
            Withheld::Unavailable => self.outbox.options.first_retry,
        };
        Next::GiveBack { this: true, after }
    }

    /// A probe without a result leaves the server to the next probe.
    pub(super) async fn finish_probe(&mut self) {
        if std::mem::take(&mut self.probe) {
            let now = self.outbox.now();
            let rest = self.outbox.store.rest_destination(&self.destination, &|rest| rest.probing(now)).await;
            if let Err(error) = rest {
                error.log();
            }
        }
    }
}
