//! A change of settings that mends a failure: **Appliquer et retester**.
//!
//! A fix never changes the host: a secret only goes to the host it was typed for. To add one: a variant here, its text
//! `fix-…` in both catalogues, where it is proposed (the server's `test_runs/remedies.rs`) and how it is applied
//! ([`Fix::apply`]).

use serde::{Deserialize, Serialize};

use crate::{address::EmailAddress, mechanism::Mechanism, security::Security, settings::Settings};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Fix {
    /// Another port, with the encryption that goes with it. A server answers there.
    Port { port: u16, security: Security },
    /// Another encryption on the same port. It works there.
    Security { security: Security },
    /// The form of the login that the provider wants.
    Login { login: String },
    /// The sender's address is the login's. The server takes it.
    Sender { address: EmailAddress },
    /// What looks superfluous goes out of the secret.
    Spaces { count: u32 },
    /// Another way to log in, which the server offers.
    Mechanism { mechanism: Mechanism },
}

impl Fix {
    /// The settings after the change. The secret is another matter: see [`Fix::Spaces`].
    #[must_use]
    pub fn apply(&self, settings: &Settings) -> Settings {
        let mut changed = settings.clone();
        match self {
            Self::Port { port, security } => {
                (changed.destination.port, changed.destination.security) = (*port, *security);
            }
            Self::Security { security } => changed.destination.security = *security,
            Self::Login { login } => changed.destination.login.clone_from(login),
            Self::Sender { address } => changed.sender_address.clone_from(address),
            Self::Spaces { .. } => {}
            Self::Mechanism { mechanism } => changed.destination.mechanism = Some(*mechanism),
        }
        changed
    }

    /// The catalogue's key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Port { .. } => "fix-port",
            Self::Security { .. } => "fix-security",
            Self::Login { .. } => "fix-login",
            Self::Sender { .. } => "fix-sender",
            Self::Spaces { .. } => "fix-spaces",
            Self::Mechanism { .. } => "fix-mechanism",
        }
    }
}
