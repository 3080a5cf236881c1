//! Server side. What the outboxes of several replicas share: connections, an account's conversations, rates, and
//! notices of changes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use app::{profile::model::ProfileId, session::AccountId};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

use super::{
    Outbox,
    destinations::{BURST_S, DestinationId, key::parse_key},
    ready::Ready,
};
use crate::{
    admission::Party,
    replicas::{Notice, Place},
    store::replicas::Rate,
};

/// Separates the parts of a name.
const BETWEEN: char = '\u{1f}';
/// What a replica takes of a rate at once, in seconds' worth of messages.
const PORTION_S: f64 = 0.25;
/// How long it may use that portion.
const PORTION_LASTS: Duration = Duration::from_secs(1);
/// When another replica wants the place of an idle connection, it is closed after this time without use.
const IDLE: Duration = Duration::from_secs(1);
/// Pauses while a closing connection of this replica still holds its place, until the server has answered `QUIT`.
const CLOSING: [Duration; 3] = [Duration::from_millis(5), Duration::from_millis(20), Duration::from_millis(80)];
/// Back-off from a server whose places other replicas hold.
pub(super) const TAKEN: Duration = Duration::from_secs(1);

/// Name of the places for a destination's connections.
pub(super) fn connections(destination: &str) -> String {
    format!("connections{BETWEEN}{destination}")
}

/// Key of the back-off while other replicas hold the places.
pub(super) fn taken_by_others(destination: &str) -> String {
    format!("taken{BETWEEN}{destination}")
}

impl Outbox {
    /// A new lease token, unique to this process.
    pub(super) fn lease_token(&self) -> String {
        format!("{}-{}", self.replicas.name(), self.leases.fetch_add(1, Ordering::Relaxed))
    }

    /// A place for a connection.
    pub(super) async fn connection_place(&self, destination: &str, most: u32) -> Option<Place> {
        for pause in CLOSING {
            if let Some(place) = self.replicas.take_if_free(|| connections(destination), most).await {
                return Some(place);
            }
            if self.replicas.in_use(&connections(destination)) == 0 {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        self.replicas.take(|| connections(destination), most).await
    }

    /// A place for a conversation of an account. Conversations of a relay are limited by its connections.
    pub(super) async fn conversation_place(&self, party: &Party) -> Option<Place> {
        match party {
            Party::Account(AccountId { portal, account }) => {
                let name = || format!("conversations{BETWEEN}{portal}{BETWEEN}{account}");
                self.replicas.take(name, self.options.per_account).await
            }
            Party::Relay(_) => Some(Place::unlimited()),
        }
    }

    /// The places that a conversation without a message needs.
    pub(super) async fn shared_places(&self, party: &Party, destination: &str, most: u32) -> Option<[Place; 2]> {
        Some([self.conversation_place(party).await?, self.connection_place(destination, most).await?])
    }

    /// Takes the send permit for one message; otherwise returns how long to wait for it.
    pub(super) async fn acquire_permit(
        &self,
        id: &DestinationId,
        destination: &str,
        per_minute: Option<u32>,
    ) -> Result<(), Duration> {
        let Some(limit) = per_minute.filter(|_| self.replicas.is_shared()) else {
            return self.destinations.acquire_permit(id, per_minute);
        };
        if self.destinations.take_of_portion(id) {
            return Ok(());
        }
        let per_second = f64::from(limit) / 60.0;
        let rate = Rate { per_second, burst: (per_second * BURST_S).max(1.0) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let wanted = (per_second * PORTION_S).clamp(1.0, 1_000.0) as u32;
        let taken = self.replicas.take_rate(&format!("rate{BETWEEN}{destination}"), rate, wanted).await?;
        self.destinations.add_portion(id, taken.saturating_sub(1), Instant::now() + PORTION_LASTS);
        Ok(())
    }

    /// Acts on the notices of other replicas.
    pub(super) async fn hear(self: Arc<Self>, mut notices: Receiver<Notice>) {
        loop {
            let notice = tokio::select! {
                () = self.workers_done.cancelled() => return,
                notice = notices.recv() => notice,
            };
            match notice {
                Ok(notice) => self.heard(notice).await,
                Err(RecvError::Lagged(_)) => self.heard(Notice::Missed).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn heard(&self, notice: Notice) {
        match notice {
            Notice::Work => self.look_now(),
            Notice::Account { portal, account } => {
                self.changes.count(&AccountId { portal, account });
                self.ready(Ready::forget_skipped);
                self.look_now();
            }
            Notice::Profile { portal, account, profile, in_use } => {
                if let Some(id) = ProfileId::parse(&profile) {
                    let id = DestinationId::Profile(id);
                    self.destinations.close(&id);
                    self.destinations.unblock(&id);
                    self.recipient_limits.forget(&id);
                }
                self.changes.count(&AccountId { portal, account });
                if in_use {
                    self.ready(Ready::forget_skipped);
                    self.look_now();
                }
            }
            Notice::Rests { destination, until, cause } => {
                if let Some((id, _)) = parse_key(&destination) {
                    let left = Duration::try_from(self.now().duration_until(until)).unwrap_or_default();
                    self.destinations.block(&id, self.destinations.recoveries(&id), left, cause);
                }
            }
            Notice::Recovered { destination } => {
                if let Some((id, _)) = parse_key(&destination) {
                    self.destinations.unblock(&id);
                    self.look_now();
                }
            }
            Notice::Wanted { name } => {
                let destination = name.strip_prefix("connections").and_then(|rest| rest.strip_prefix(BETWEEN));
                if let Some((id, _)) = destination.and_then(parse_key) {
                    self.destinations.close_idle(&id, IDLE);
                }
            }
            Notice::Clock => self.replicas.read_clock().await,
            Notice::Missed => {
                self.changes.count_all();
                self.ready(Ready::forget_skipped);
                self.replicas.read_clock().await;
                self.look_now();
            }
            Notice::Lost => self.destinations.tidy(true),
        }
    }

    /// Polls for due lanes now, before the next interval.
    fn look_now(&self) {
        self.look_soon.store(true, Ordering::Relaxed);
        self.work_available.notify_one();
    }
}
