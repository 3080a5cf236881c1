//! Server side. The two modes.

use serde::{Deserialize, Serialize};

/// Which servers send an account's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendingMode {
    /// The portal's server.
    #[default]
    Portal,
    /// The account's profiles.
    OwnSmtp,
}

impl SendingMode {
    pub const ALL: [Self; 2] = [Self::Portal, Self::OwnSmtp];

    /// The code on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::OwnSmtp => "own_smtp",
        }
    }

    /// The mode with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == code)
    }
}
