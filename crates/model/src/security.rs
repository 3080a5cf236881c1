//! How the connection to the server is encrypted.

use serde::{Deserialize, Serialize};

/// The encryption of a submission connection (RFC 8314).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte (port 465).
    #[default]
    Tls,
    /// Unencrypted at first, then `STARTTLS` (port 587). Never optional: without it there is no login.
    Starttls,
    /// Unencrypted. A password is sent this way only if the operator allows it for the host.
    None,
}

impl Security {
    pub const ALL: [Self; 3] = [Self::Tls, Self::Starttls, Self::None];

    /// The code in the API, in the database and in the forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Starttls => "starttls",
            Self::None => "none",
        }
    }

    /// The encryption with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|security| security.as_str() == code)
    }
}
