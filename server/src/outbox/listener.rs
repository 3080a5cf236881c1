//! Server side. What a change of a profile, or of an account's mode, means for waiting messages.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;

use super::{Outbox, destinations::DestinationId, destinations::key::profile_key, ready::Ready};
use crate::{profiles::ChangeListener, replicas::Notice};

#[async_trait]
impl ChangeListener for Outbox {
    /// A profile was changed: closes its connections. If it is in use, the messages that go through it are tried again.
    async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool) {
        let route = DestinationId::Profile(id);
        self.destinations.close(&route);
        if let Err(error) = self.store.ease(&[profile_key(account, id)]).await {
            error.log();
        }
        // After the write: see `recovered`.
        self.destinations.unblock(&route);
        self.recipient_limits.forget(&route);
        if in_use {
            self.changed(account).await;
        } else {
            self.changes.count(account);
        }
        self.replicas.tell(Notice::profile(account, id, in_use));
    }

    /// The messages of an account take another route, or may be sent again: they are tried.
    async fn changed(&self, account: &AccountId) {
        self.changes.count(account);
        self.ready(Ready::forget_skipped);
        if let Err(error) = self.store.wake(account, self.now()).await {
            error.log();
        }
        self.conversation_ended(String::new());
        self.replicas.tell(Notice::account(account));
    }

    fn has_relay(&self, account: &AccountId) -> bool {
        self.portal(&account.portal).is_some_and(|portal| portal.relay.is_some())
    }
}
