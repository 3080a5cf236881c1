//! Server side. A profile as the pages see it. No secret is in any of these types.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    address::EmailAddress,
    encoding::Encoding,
    mechanism::Mechanism,
    security::Security,
    sending::{Health, SendState, SendingOptions},
};
use crate::diagnosis::cause::Cause;

/// A profile's id: a UUID version 7, so ids sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProfileId(pub Uuid);

impl ProfileId {
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl std::fmt::Display for ProfileId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

/// What the owner set, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The preset it was made from; `None` for "another server".
    pub preset: Option<String>,
    /// For whom mail is sent; `None` is the shop.
    pub user: Option<String>,
    pub destination: Destination,
    pub sender_name: String,
    pub sender_address: EmailAddress,
    pub reply_to: Option<EmailAddress>,
}

/// What a secret is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A-labels, lower case, no trailing dot.
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: String,
    /// The only way to log in there; `None` for the best one that the server offers.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
}

impl Destination {
    /// The form in which two destinations are compared, and which seals the secret: upper and lower case do not
    /// count, nor does a trailing dot of the host.
    pub fn canonical(&self) -> String {
        let host = self.host.trim_end_matches('.').to_lowercase();
        let mechanism = self.mechanism.map(|mechanism| format!("\n{}", mechanism.name())).unwrap_or_default();
        format!("{host}\n{}\n{}\n{}{mechanism}", self.port, self.security.as_str(), self.login.to_lowercase())
    }

    /// Whether another destination is the same server, spoken to in the same way.
    pub fn is_same_server(&self, other: &Self) -> bool {
        let anonymous = |destination: &Self| Self { login: String::new(), mechanism: None, ..destination.clone() };
        anonymous(self).canonical() == anonymous(other).canonical()
    }
}

/// What is known of a profile's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretState {
    /// None is stored: never typed, or wiped because the destination changed.
    Missing,
    Stored {
        changed_at: Timestamp,
    },
    /// One is stored, and it does not open.
    Unreadable,
}

/// What is known of a profile's last test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestState {
    Never,
    /// The server accepted the message; whether it arrived is not known.
    Accepted {
        at: Timestamp,
    },
    /// The code of its mail was typed in.
    Received {
        at: Timestamp,
    },
    Failed {
        at: Timestamp,
        cause: Option<Cause>,
    },
    DeliveryUnknown {
        at: Timestamp,
    },
    /// Settings or secret changed since.
    Changed,
}

/// One SMTP configuration of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub id: ProfileId,
    pub settings: Settings,
    pub encoding: Encoding,
    /// Whether the mail of its owner leaves through it.
    pub in_use: bool,
    pub secret: SecretState,
    pub test: TestState,
    pub sending: SendingOptions,
    pub health: Health,
    /// How the sending is going with these settings.
    pub sends: SendState,
    /// Counts the changes of settings and secret.
    pub revision: u32,
}

impl Profile {
    /// Whether mail can leave through it at all.
    pub fn is_ready(&self) -> bool {
        matches!(self.secret, SecretState::Stored { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_a_trailing_dot_do_not_make_another_destination() {
        let typed = Destination {
            host: "SMTP.Exemple.fr.".to_owned(),
            port: 465,
            security: Security::Tls,
            login: "Claire@Exemple.fr".to_owned(),
            mechanism: None,
        };
        let same =
            Destination { host: "smtp.exemple.fr".to_owned(), login: "claire@exemple.fr".to_owned(), ..typed.clone() };
        assert_eq!(typed.canonical(), same.canonical());
        let others = [
            Destination { host: "smtp.exemple.com".to_owned(), ..same.clone() },
            Destination { port: 587, ..same.clone() },
            Destination { security: Security::Starttls, ..same.clone() },
            Destination { login: "karim@exemple.fr".to_owned(), ..same.clone() },
            Destination { mechanism: Some(Mechanism::Plain), ..same.clone() },
        ];
        for other in others {
            assert_ne!(other.canonical(), same.canonical());
        }
    }
}
