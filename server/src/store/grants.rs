//! Server side. Grants: the owner signed in at a provider and allowed Facteur to send (OAuth 2.0, RFC 6749).
//!
//! A profile with a grant has no password. Its `secret` is an access token, which ends soon and is replaced with the
//! refresh token of its grant. A grant is attached to one profile. When the profile is deleted, or gets a password or
//! another grant, the grant is detached; maintenance revokes it at the provider and forgets it.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{SealedSecret, StoreError};

/// The part of a grant that belongs to its profile. It contains no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: Uuid,
    /// The operator's client that it was given to: the `id` of `[[oauth]]`.
    pub client: String,
    /// The address that signed in.
    pub identity: String,
    pub granted_at: Timestamp,
    /// When the access token in the profile's `secret` ends; `None`: there is none.
    pub access_ends_at: Option<Timestamp>,
    /// Why it no longer works; `None` while it does.
    pub ended: Option<GrantEnd>,
    /// The tokens of a new grant, on their way into the store. A stored profile has `None`.
    pub tokens: Option<Box<GrantTokens>>,
}

/// Why a grant no longer works. Nothing more is requested with it until the owner signs in again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantEnd {
    pub cause: Cause,
    /// The provider's code, for support: `invalid_grant`, `AADSTS50173`.
    pub code: String,
}

/// What is stored of a new grant beside its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantTokens {
    /// The `iss` of the ID token.
    pub issuer: String,
    /// Its `sub`: who signed in. It stays the same when the address changes.
    pub subject: String,
    /// The scopes that were granted, separated by spaces.
    pub scopes: String,
    /// The refresh token, sealed.
    pub refresh: Vec<u8>,
    /// When it is refreshed though nothing was sent, so that it does not expire unused.
    pub next_refresh_at: Timestamp,
}

/// A grant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    pub id: Uuid,
    /// The profile and the account that its tokens are sealed for.
    pub profile: ProfileId,
    pub account: AccountId,
    pub client: String,
    pub tokens: GrantTokens,
    /// Counts the refreshes, from 1.
    pub version: u32,
    /// Until when another process refreshes it.
    pub leased_until: Option<Timestamp>,
    /// Whether its profile still uses it.
    pub attached: bool,
}

/// The right to refresh one version of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantLease {
    pub id: Uuid,
    pub version: u32,
    /// Made for this refresh: only its holder may write the answer.
    pub token: Uuid,
}

/// The answer to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The new refresh token, sealed; `None`: the old one stays valid.
    pub refresh: Option<Vec<u8>>,
    /// The access token. Its `changed_at` is when the grant was given, so that a refresh needs no new test.
    pub access: SealedSecret,
    pub access_ends_at: Timestamp,
    pub next_refresh_at: Timestamp,
}

/// How many grants of a client are in which state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantCount {
    pub client: String,
    pub ended: Option<Cause>,
    pub grants: u64,
}

/// Grants. They are attached and detached by the changes of their profiles.
#[async_trait]
pub trait GrantStore: Send + Sync {
    async fn grant(&self, id: Uuid) -> Result<Option<GrantRow>, StoreError>;
    /// Takes the lease of a grant of this version until `until`; `false`: another process has it at `now`, the
    /// version has changed, or it was detached.
    async fn lease_grant(&self, lease: GrantLease, now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
    /// Ends a lease without an answer.
    async fn release_grant(&self, lease: GrantLease) -> Result<(), StoreError>;
    /// Writes the answer to a refresh: the refresh token, and the profile's access token, in one transaction. The
    /// version is counted up, and the lease ends. `false`: the lease is not held any more, or the grant was detached.
    /// `destination`: what the access token is sealed for, in canonical form. If the profile has another one by now, the
    /// access token is dropped and the refresh token is written.
    async fn refresh_grant(&self, lease: GrantLease, answer: &Refreshed, destination: &str)
    -> Result<bool, StoreError>;
    /// Writes that the grant no longer works, and ends the lease; `false` as above.
    async fn end_grant(&self, lease: GrantLease, end: &GrantEnd) -> Result<bool, StoreError>;
    /// At most `limit` attached grants that still work and are due at `now`, the longest due first.
    async fn grants_to_refresh(&self, now: Timestamp, limit: u32) -> Result<Vec<GrantRow>, StoreError>;
    /// Makes a grant due at `at` only, unless it is refreshed before: what cannot be refreshed must not keep others
    /// waiting.
    async fn postpone_refresh(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError>;
    /// At most `limit` detached grants after `after`, by id.
    async fn detached_grants(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<GrantRow>, StoreError>;
    /// Whether another grant, attached, was given by the same person to the same client. Revoking one ends both.
    async fn has_twin(&self, grant: &GrantRow) -> Result<bool, StoreError>;
    /// Deletes a detached grant.
    async fn forget_grant(&self, id: Uuid) -> Result<(), StoreError>;
    /// At most `limit` grants after `after`, by id, for key rotation.
    async fn grants(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<GrantRow>, StoreError>;
    /// Replaces a sealed refresh token; `false` when the old one is not there any more.
    async fn replace_refresh(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;
    /// The attached grants, counted by client and state.
    async fn count_grants(&self) -> Result<Vec<GrantCount>, StoreError>;
}
