//! The settings of one mail server. None of these types contains a secret.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{address::EmailAddress, mechanism::Mechanism, security::Security};

/// A profile's id: a UUID version 7, so that ids sort by age.
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

/// The owner's settings, validated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The owner's name for the profile; may be empty.
    #[serde(default)]
    pub name: String,
    /// The preset it was created from; `None` for "another server".
    pub preset: Option<String>,
    /// The user whose mail it sends; `None` is the shop.
    pub user: Option<String>,
    pub destination: Destination,
    pub sender_name: String,
    pub sender_address: EmailAddress,
    pub reply_to: Option<EmailAddress>,
}

impl Settings {
    /// Its name, or its sender if it has none.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.sender_address.as_str() } else { &self.name }
    }
}

/// What a secret is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A-labels, lower case, no trailing dot.
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: String,
    /// The only mechanism to use; `None` for the best one that the server offers.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
}

impl Destination {
    /// The form in which two destinations are compared, and to which the secret is sealed: case and a final dot of the
    /// host are ignored.
    pub fn canonical(&self) -> String {
        let host = self.host.trim_end_matches('.').to_lowercase();
        let mechanism = self.mechanism.map(|mechanism| format!("\n{}", mechanism.name())).unwrap_or_default();
        format!("{host}\n{}\n{}\n{}{mechanism}", self.port, self.security.as_str(), self.login.to_lowercase())
    }

    /// Whether another destination is the same server with the same connection settings.
    pub fn is_same_server(&self, other: &Self) -> bool {
        let anonymous = |destination: &Self| Self { login: String::new(), mechanism: None, ..destination.clone() };
        anonymous(self).canonical() == anonymous(other).canonical()
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
