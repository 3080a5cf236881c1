//! Server side. Notifications of changed profiles.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;

/// Notified of changed profiles.
#[async_trait]
pub trait ChangeListener: Send + Sync {
    /// The account's messages take another route.
    async fn changed(&self, account: &AccountId);
    /// One profile was changed; `in_use`: messages go through it.
    async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool);
    /// Whether the account's portal has a server of its own.
    fn has_relay(&self, account: &AccountId) -> bool;
}
