//! Server side. What a transaction does, step by step, once for every database.
//!
//! A flow reads locked rows, asks the rules (`change`, `succession`, `test_result`, `logins`), and writes what they decide with
//! statements that an adapter implements. The adapter begins the transaction, takes the locks that its database needs, and
//! ends it as the flow says ([`Ended`]). To add a step: a statement in the flow's trait, and in both adapters.

use app::{journal::model::Entry, profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;

use super::{ProfileRow, StoreError};

pub mod deleted;
pub mod grants;
pub mod logins;
pub mod messages;
pub mod profiles;
pub mod settlements;
pub mod test_runs;

/// How a flow ended. An error rolls back too.
#[must_use]
#[derive(Debug)]
pub enum Ended<T> {
    Commit(T),
    /// Nothing may be kept of what was written.
    RollBack(T),
}

/// What every flow about an account's profiles needs, in a transaction that is open.
#[async_trait]
pub trait AccountStatements: Send {
    /// The profile, locked until the transaction ends.
    async fn locked_profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError>;
    /// Adds an entry to the account's history.
    async fn note(&mut self, account: &AccountId, entry: &Entry) -> Result<(), StoreError>;
}
