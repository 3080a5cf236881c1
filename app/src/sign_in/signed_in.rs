//! Server side. A profile's grant as the pages see it. It contains no token.

use jiff::Timestamp;

use crate::diagnosis::cause::Cause;

/// A profile's grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The operator's client; it may no longer be configured.
    pub client: String,
    /// The provider's name, or the client's id if it is no longer configured.
    pub provider: String,
    /// The address that signed in.
    pub identity: String,
    pub since: Timestamp,
    /// Why it no longer works.
    pub ended: Option<Cause>,
    /// The provider's code for that, for support.
    pub code: Option<String>,
    /// Where an administrator allows the application for the organisation.
    pub admin_consent_url: Option<String>,
    /// Where the owner withdraws the permission, if signing out here does not.
    pub permissions_page: Option<String>,
    pub shared_mailboxes: bool,
}
