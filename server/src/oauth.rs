//! Server side. Signing in at a provider instead of entering a password: OAuth 2.0 (RFC 6749) with PKCE (RFC 7636), and
//! `OpenID` Connect for the address of the person who signed in.
//!
//! | module | what it is |
//! |---|---|
//! | [`client`], [`known`] | the operator's registrations with providers; what is known about Microsoft and Google |
//! | [`requests`], [`endpoints`] | requests to a provider, through the guard; its endpoints |
//! | [`token_endpoint`], [`refusal`] | codes and refresh tokens become access tokens; what a refusal means |
//! | [`id_token`] | verifies who signed in |
//! | [`access`] | an access token for a login, refreshed by one process at a time |
//! | [`check`] | whether a registration works, for the operator |
//! | [`keeper`] | keeps unused grants alive, and revokes those that are no longer used |
//!
//! No token, code or verifier is ever logged, shown or put into an event. They are stored sealed, and the refresh token
//! can be opened for its own provider only.

pub mod access;
pub mod check;
pub mod client;
pub mod endpoints;
pub mod id_token;
pub mod keeper;
pub mod known;
pub mod refusal;
pub mod requests;
pub mod token_endpoint;

#[cfg(test)]
pub(crate) mod tests;

pub use access::{AccessParts, AccessTokens, NewGrant, NoToken, ProviderAccess};
pub use client::{Client, Clients, Kind, MailServer};
