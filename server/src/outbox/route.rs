//! Server side. Which server a lane's messages go through. In the mode `own_smtp`, the user's profile, else the shop's;
//! in the mode `portal`, the portal's relay.
//!
//! An account may choose its own servers before it has one that can send, as the printed tutorial does. Until then the
//! portal's relay sends instead, so that the choice does not stop mail that worked. A profile that has sent once sends,
//! waits or fails as configured.

use std::sync::Arc;

use app::{
    profile::{model::Destination, preset::Preset},
    sending_mode::model::SendingMode,
    session::AccountId,
};
use lettre::{Address, message::Mailbox};
use model::way::{Way, way};
use secrecy::SecretString;

use super::{
    Outbox,
    destinations::DestinationId,
    destinations::key::{profile_key, relay_key},
};
use crate::{
    admission::{Claimant, Party},
    credentials::logins::LoginGuard,
    portal::Relay,
    profiles::fingerprint,
    store::{
        ProfileRow, StoreError,
        outbox::{Lane, Via},
    },
    time::signed,
};

/// Why a lane's messages cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    #[error("the account sends through its own servers, and has none in use for this user or the shop")]
    NoProfile,
    #[error("the password of the profile in use is missing or cannot be decrypted")]
    ProfileIncomplete,
    #[error("the account sends through the portal's server, and the portal has none")]
    NoRelay,
    #[error("the row of the profile in use is damaged")]
    Damaged,
    #[error("the service is unavailable")]
    Unavailable,
}

/// A server, and the limits to keep there.
#[derive(Clone)]
pub(super) struct Route {
    pub via: Via,
    pub account: AccountId,
    pub server: Server,
    /// Its password, opened when the route was looked up; `None`: the server needs none, or an access token, which the
    /// worker requests.
    pub secret: Option<SecretString>,
    pub connections: u32,
    pub per_minute: Option<u32>,
    pub per_day: Option<u32>,
}

/// A route, and the account's change count when it was looked up.
#[derive(Clone)]
pub(super) struct FoundRoute {
    pub route: Route,
    pub changes: u64,
}

#[derive(Clone)]
pub(super) enum Server {
    Profile(Box<ProfileRow>),
    /// With the profile that it stands in for.
    Relay(Arc<Relay>, Option<Box<ProfileRow>>),
}

impl Route {
    pub(super) fn id(&self) -> DestinationId {
        match &self.server {
            Server::Profile(row) => DestinationId::Profile(row.id),
            Server::Relay(..) => DestinationId::Relay(self.account.portal.clone()),
        }
    }

    /// The key of the destination that lanes with this server wait for.
    pub(super) fn destination_key(&self) -> String {
        match &self.server {
            Server::Profile(row) => profile_key(&self.account, row.id),
            Server::Relay(..) => relay_key(&self.account.portal),
        }
    }

    /// The party whose share of the conversations it takes.
    pub(super) fn claimant(&self) -> Claimant {
        let party = match &self.server {
            Server::Profile(_) => Party::Account(self.account.clone()),
            Server::Relay(..) => Party::Relay(self.account.portal.clone()),
        };
        Claimant::new(party, &self.destination().host)
    }

    pub(super) fn profile(&self) -> Option<&ProfileRow> {
        match &self.server {
            Server::Profile(row) => Some(row),
            Server::Relay(_, row) => row.as_deref(),
        }
    }

    /// Identifies the settings: a connection is reused only for the same ones.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        match &self.server {
            Server::Profile(row) => fingerprint(row),
            Server::Relay(..) => [0; 32],
        }
    }

    pub(super) fn destination(&self) -> &Destination {
        match &self.server {
            Server::Profile(row) => &row.settings.destination,
            Server::Relay(relay, _) => &relay.destination,
        }
    }

    /// The sender of the messages: the route decides it, never the portal.
    pub(super) fn sender(&self) -> Option<Mailbox> {
        match &self.server {
            Server::Profile(row) => sender_of(row),
            Server::Relay(relay, _) => Some(relay.sender.clone()),
        }
    }

    /// `Reply-To` when the message has none.
    pub(super) fn reply_to(&self) -> Option<Mailbox> {
        let row = self.profile()?;
        let own = row.settings.reply_to.as_ref().and_then(|address| address.as_str().parse::<Address>().ok());
        match self.server {
            Server::Profile(_) => own.map(|address| Mailbox::new(None, address)),
            // Replies to the relay's sender are not read.
            Server::Relay(..) => own.map(|address| Mailbox::new(None, address)).or_else(|| sender_of(row)),
        }
    }

    pub(super) fn sender_domain(&self) -> String {
        self.sender().map_or_else(|| "invalid".to_owned(), |sender| sender.email.domain().to_owned())
    }
}

fn sender_of(row: &ProfileRow) -> Option<Mailbox> {
    let name = (!row.settings.sender_name.is_empty()).then(|| row.settings.sender_name.clone());
    Some(Mailbox::new(name, row.settings.sender_address.as_str().parse::<Address>().ok()?))
}

impl Outbox {
    /// The server for a lane. `fallback`: the message fell back to the relay earlier.
    pub(super) async fn route(&self, lane: &Lane, fallback: bool) -> Result<Route, NoRoute> {
        let failed = |error| {
            // The quarantine reports it, once.
            if matches!(error, StoreError::Inconsistent { .. }) {
                return NoRoute::Damaged;
            }
            error.log();
            NoRoute::Unavailable
        };
        let account = &lane.account;
        let relay = self.portal(&account.portal).and_then(|portal| portal.relay.clone());
        let mode = self.store.sending_mode(account).await.map_err(failed)?.unwrap_or_default();
        let own = mode == SendingMode::OwnSmtp;
        let mut row = None;
        if own {
            row = self.store.profile_in_use(account, lane.user.as_deref()).await.map_err(failed)?;
            if row.is_none() && lane.user.is_some() {
                row = self.store.profile_in_use(account, None).await.map_err(failed)?;
            }
        }
        let candidate = row.as_ref().map(ProfileRow::candidate);
        let row = match (way(own, relay.is_some(), candidate.as_ref(), fallback), relay, row) {
            (Way::Portal | Way::StandsIn, Some(relay), _) => {
                return Ok(self.through_relay(account, relay, Via::Relay, None));
            }
            (Way::Fallback, Some(relay), Some(row)) => {
                return Ok(self.through_relay(account, relay, Via::Fallback, Some(Box::new(row))));
            }
            (_, _, Some(row)) => row,
            _ => return Err(if own { NoRoute::NoProfile } else { NoRoute::NoRelay }),
        };
        // An access token may have to be requested first: the worker does that.
        let secret = match &row.grant {
            Some(_) => None,
            None => match self.profiles.open(account, &row) {
                Ok(Some(secret)) => Some(secret),
                Ok(None) | Err(_) => return Err(NoRoute::ProfileIncomplete),
            },
        };
        let (preset, sending) = (self.preset_of(&row), row.sending);
        Ok(Route {
            via: Via::Profile,
            account: account.clone(),
            connections: self.most_connections(&row),
            per_minute: sending.per_minute.or(preset.and_then(|preset| preset.per_minute)),
            per_day: sending.per_day.or(preset.and_then(|preset| preset.daily_limit)),
            server: Server::Profile(Box::new(row)),
            secret,
        })
    }

    fn preset_of(&self, row: &ProfileRow) -> Option<&Preset> {
        self.presets.provider_of(&row.settings)
    }

    /// Most connections to a profile's server.
    pub(super) fn most_connections(&self, row: &ProfileRow) -> u32 {
        let preset = || self.preset_of(row).and_then(|preset| preset.max_connections);
        row.sending.max_connections.or_else(preset).unwrap_or(self.options.connections)
    }

    fn through_relay(&self, account: &AccountId, relay: Arc<Relay>, via: Via, row: Option<Box<ProfileRow>>) -> Route {
        Route {
            via,
            account: account.clone(),
            connections: relay.connections.unwrap_or(self.options.connections),
            per_minute: relay.per_minute,
            per_day: None,
            secret: relay.secret.clone(),
            server: Server::Relay(relay, row),
        }
    }

    /// Counts the logins of a conversation; `None` where there is no password.
    pub(super) fn login_gate(&self, route: &Route) -> Option<Arc<LoginGuard>> {
        match &route.server {
            Server::Profile(row) => Some(self.profiles.gate(row)),
            Server::Relay(relay, _) => {
                let again_after = signed(self.options.longest_retry);
                self.profiles.relay_gate(&route.account.portal, relay, again_after)
            }
        }
    }
}
