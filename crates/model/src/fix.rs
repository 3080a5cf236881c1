//! A change of settings that fixes a failure: **Appliquer et retester**.
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
    /// Another port, with its encryption. A submission server responds there.
    Port { port: u16, security: Security },
    /// Another encryption on the same port, verified to work.
    Security { security: Security },
    /// The login in the form that the provider requires.
    Login { login: String },
    /// The login's address as the sender, verified to be accepted.
    Sender { address: EmailAddress },
    /// Removes characters from the secret that look superfluous.
    Spaces { count: u32 },
    /// Another login mechanism, which the server offers.
    Mechanism { mechanism: Mechanism },
}

impl Fix {
    /// The settings after the change. The secret is not part of them: see [`Fix::Spaces`].
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
