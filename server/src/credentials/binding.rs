//! Server side. What a sealed secret is bound to. The binding is authenticated with the secret (associated data), so an
//! envelope that was moved to another account, profile, field or destination cannot be opened.

use app::{profile::model::ProfileId, session::AccountId};
use uuid::Uuid;

/// The field that a profile's secret is sealed for.
pub const PROFILE_SECRET: &str = "secret";
/// The field that a grant's refresh token is sealed for.
pub const GRANT_REFRESH: &str = "refresh";

/// What an envelope is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    pub account: &'a AccountId,
    pub profile: ProfileId,
    pub field: &'a str,
    /// In canonical form.
    pub destination: &'a str,
}

impl Binding<'_> {
    /// Every part with its length, so that no two bindings encode to the same bytes.
    pub(super) fn authenticated(&self, header: &[u8]) -> Vec<u8> {
        let profile = self.profile.0.as_bytes().as_slice();
        let AccountId { portal, account } = self.account;
        let parts = [
            header,
            portal.as_bytes(),
            account.as_bytes(),
            profile,
            self.field.as_bytes(),
            self.destination.as_bytes(),
        ];
        let mut data = Vec::new();
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// The destination of a refresh token: the operator's client that may use it, and the issuer that gave it. It is sent to
/// no mail server.
pub fn refresh_destination(client: &str, issuer: &str) -> String {
    format!("{client}\n{issuer}")
}

/// A refresh token is bound to the profile it was given for; `destination` is a [`refresh_destination`].
pub const fn refresh_of<'a>(account: &'a AccountId, profile: ProfileId, destination: &'a str) -> Binding<'a> {
    Binding { account, profile, field: GRANT_REFRESH, destination }
}

/// The content of a message is bound to its account and id, for any server it is sent through.
pub(super) fn content_of(account: &AccountId, message: Uuid) -> Binding<'_> {
    Binding { account, profile: ProfileId(message), field: "content", destination: "" }
}

/// The canary belongs to no account.
pub(super) const fn nobody() -> AccountId {
    AccountId { portal: String::new(), account: String::new() }
}

/// The canary is bound to the database.
pub(super) const fn canary(nobody: &AccountId) -> Binding<'_> {
    Binding { account: nobody, profile: ProfileId(Uuid::nil()), field: "canary", destination: "" }
}
