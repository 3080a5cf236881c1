//! Server side. The operator's registrations with providers: `[[oauth]]`.

use std::sync::Arc;

use app::profile::{mechanism::Mechanism, model::Destination, security::Security};
use jiff::civil::Date;
use secrecy::SecretString;

use super::endpoints::{Endpoints, Issuer};

/// Which provider a client is registered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Microsoft,
    Google,
    /// Any other `OpenID` provider.
    Custom,
}

/// A mail server that accepts the tokens of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Its preset, if it has one.
    pub preset: Option<String>,
}

/// A client, as registered with a provider (RFC 6749 §2).
#[derive(Debug, Clone)]
pub struct Client {
    /// It stands in the redirect URI and in the database, so it never changes.
    pub id: String,
    pub kind: Kind,
    /// The provider's name on the button.
    pub name: String,
    pub client_id: String,
    pub secret: SecretString,
    /// The last day on which the secret is valid, if the operator named it.
    pub secret_expires: Option<Date>,
    /// The portals that may use it; `None`: all.
    pub portals: Option<Vec<String>>,
    pub endpoints: Endpoints,
    pub issuer: Issuer,
    /// What is requested, separated by spaces in the request.
    pub scopes: Vec<String>,
    /// The scope without which no mail can be sent. A person may refuse it alone.
    pub mail_scope: String,
    /// The only servers that its tokens are sent to. The first one is the usual one.
    pub servers: Vec<MailServer>,
    /// Presets that it serves besides those of its servers.
    pub presets: Vec<String>,
    /// Domains of addresses that it serves.
    pub domains: Vec<String>,
    /// Parameters of the authorization request that only this provider knows.
    pub parameters: Vec<(&'static str, &'static str)>,
    /// Whether a signed-in person may log in as another mailbox (shared mailboxes).
    pub shared_mailboxes: bool,
    /// The page where the owner withdraws the permission; `None` if the revocation endpoint is enough.
    pub permissions_page: Option<&'static str>,
    /// `https://facteur.example/oauth/callback/{id}`.
    pub redirect_uri: String,
}

impl Client {
    /// Whether a portal may use it.
    pub fn serves(&self, portal: &str) -> bool {
        self.portals.as_ref().is_none_or(|portals| portals.iter().any(|one| one == portal))
    }

    /// Every preset whose tokens it provides.
    pub fn all_presets(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().filter_map(|server| server.preset.as_deref()).chain(self.presets.iter().map(String::as_str))
    }

    /// Whether tokens may be sent to this destination.
    pub fn may_log_in_at(&self, destination: &Destination) -> bool {
        destination.mechanism.is_some_and(|mechanism| mechanism == Mechanism::Xoauth2)
            && self.servers.iter().any(|server| {
                server.host.eq_ignore_ascii_case(destination.host.trim_end_matches('.'))
                    && (server.port, server.security) == (destination.port, destination.security)
            })
    }

    /// The destination of a login at one of its servers.
    pub fn destination(server: &MailServer, login: &str) -> Destination {
        Destination {
            host: server.host.clone(),
            port: server.port,
            security: server.security,
            login: login.to_owned(),
            mechanism: Some(Mechanism::Xoauth2),
        }
    }

    /// The page on which an administrator allows the application for a whole organisation, if the provider has one.
    pub fn admin_consent_url(&self) -> Option<String> {
        if self.kind != Kind::Microsoft {
            return None;
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", super::known::MICROSOFT_CONSENT_SCOPE)
            .finish();
        Some(format!("https://login.microsoftonline.com/organizations/v2.0/adminconsent?{query}"))
    }
}

/// Every client of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Clients(pub Vec<Arc<Client>>);

impl Clients {
    /// The client of a grant, if the portal may still use it.
    pub fn get(&self, portal: &str, id: &str) -> Option<&Arc<Client>> {
        self.0.iter().find(|client| client.id == id && client.serves(portal))
    }

    /// The clients that a portal offers: for each provider, one that names the portal comes before one for all.
    pub fn of_portal(&self, portal: &str) -> Vec<&Arc<Client>> {
        let mut offered: Vec<&Arc<Client>> = Vec::new();
        let (own, shared): (Vec<_>, Vec<_>) = self.0.iter().partition(|client| client.portals.is_some());
        for client in own.into_iter().filter(|client| client.serves(portal)).chain(shared) {
            let known = |other: &&Arc<Client>| other.kind == client.kind && other.name == client.name;
            if !offered.iter().any(known) {
                offered.push(client);
            }
        }
        offered
    }
}
