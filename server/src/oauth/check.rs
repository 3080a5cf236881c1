//! Server side. Whether a registration works, without anyone signing in.
//!
//! A made-up code is sent to the token endpoint. A provider checks the client first (RFC 6749 §3.2.1): one that knows the
//! registration and its secret answers `invalid_grant`, and any other refusal is about the registration.

use app::diagnosis::cause::Cause;
use jiff::Timestamp;

use super::{
    access::ProviderAccess,
    client::Client,
    token_endpoint::{TokenError, exchange},
};

/// What a provider says of a registration.
#[derive(Debug, PartialEq, Eq)]
pub enum Checked {
    Works,
    /// With the provider's code.
    Refused(String),
    /// Nothing is known: the provider did not answer as expected.
    Unavailable(String),
}

const MADE_UP: &str = "a-code-that-no-one-was-given";
/// RFC 7636 §4.1: 43 characters at least.
const VERIFIER: &str = "a-verifier-that-belongs-to-no-authorization";

pub async fn check(provider: &ProviderAccess, client: &Client, now: Timestamp) -> Checked {
    let endpoints = match provider.endpoints.of(&client.endpoints).await {
        Ok(endpoints) => endpoints,
        Err(error) => return Checked::Unavailable(error.to_string()),
    };
    match exchange(&provider.requests, (client, &endpoints), MADE_UP, VERIFIER, now).await {
        Err(TokenError::Refused(end)) if end.cause == Cause::OauthClient => Checked::Refused(end.code),
        Err(TokenError::Refused(_)) => Checked::Works,
        Err(error) => Checked::Unavailable(error.to_string()),
        Ok(_) => Checked::Unavailable("the provider accepted a made-up code".to_owned()),
    }
}
