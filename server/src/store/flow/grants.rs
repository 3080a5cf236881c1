//! Server side. The answer to a refresh. The profile is locked, and then its grant.

use app::profile::model::ProfileId;
use async_trait::async_trait;
use jiff::Timestamp;

use super::Ended;
use crate::store::{GrantEnd, GrantLease, ProfileRow, Refreshed, SealedSecret, StoreError};

/// The statements.
#[async_trait]
pub trait GrantStatements: Send {
    /// The profile that uses the grant, also one that was set aside; both are locked. `None`: the lease is not held any
    /// more, or no profile uses the grant.
    async fn profile_of_lease(&mut self, lease: GrantLease) -> Result<Option<ProfileRow>, StoreError>;
    /// Writes the refresh token if there is a new one, counts the version up, and ends the lease.
    async fn write_refresh(&mut self, lease: GrantLease, answer: &Refreshed) -> Result<(), StoreError>;
    /// Writes the access token, or deletes it. The grant works.
    async fn write_access(
        &mut self,
        profile: ProfileId,
        access: Option<(&SealedSecret, Timestamp)>,
    ) -> Result<(), StoreError>;
    /// Writes to the grant and to its profile that it no longer works, and ends the lease.
    async fn write_end(&mut self, lease: GrantLease, profile: ProfileId, end: &GrantEnd) -> Result<(), StoreError>;
}

/// Writes new tokens; `false`: the lease has ended, or the grant was detached. An access token for another destination than the profile's
/// is dropped.
pub async fn refresh(
    database: &mut impl GrantStatements,
    lease: GrantLease,
    answer: &Refreshed,
    destination: &str,
) -> Result<Ended<bool>, StoreError> {
    let Some(profile) = database.profile_of_lease(lease).await? else { return Ok(Ended::RollBack(false)) };
    let stays = profile.settings.destination.canonical() == destination;
    database.write_refresh(lease, answer).await?;
    database.write_access(profile.id, stays.then_some((&answer.access, answer.access_ends_at))).await?;
    Ok(Ended::Commit(true))
}

/// Ends a grant that the provider refuses; `false` as above.
pub async fn end(
    database: &mut impl GrantStatements,
    lease: GrantLease,
    end: &GrantEnd,
) -> Result<Ended<bool>, StoreError> {
    let Some(profile) = database.profile_of_lease(lease).await? else { return Ok(Ended::RollBack(false)) };
    database.write_end(lease, profile.id, end).await?;
    Ok(Ended::Commit(true))
}
