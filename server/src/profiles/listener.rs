//! Server side. Who hears of changes of profiles.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;

/// Hears of changes of profiles.
#[async_trait]
pub trait ChangeListener: Send + Sync {
    /// The account's mail goes another way.
    async fn changed(&self, account: &AccountId);
    /// One profile was changed; `in_use`: mail goes through it.
    async fn changed_profile(&self, account: &AccountId, id: ProfileId, in_use: bool);
    /// Whether the account's portal has a server of its own.
    fn has_relay(&self, account: &AccountId) -> bool;
}
