//! Server side. What the provider has granted: permissions, and the tokens that belong to each. In memory, and bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::{i18n::Locale, services::Clock};
use jiff::Timestamp;

use super::{
    personas::{Persona, Plays},
    shelf::{Key, Shelf, key},
};

/// The access tokens that the sandbox accepts. Clones share them. The default has none, and then the sandbox offers no
/// login by token.
#[derive(Clone, Default)]
pub struct Tokens(Option<Arc<Registry>>);

/// What is known about an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    Valid {
        login: String,
    },
    Expired {
        login: String,
    },
    Revoked,
    /// It grants no e-mail.
    WithoutScope {
        login: String,
    },
    Unknown,
}

/// Everything the provider remembers.
pub(super) struct Registry {
    pub clock: Clock,
    books: Mutex<Books>,
}

#[derive(Default)]
pub(super) struct Books {
    /// Consent pages that wait for a decision.
    pub requests: Shelf<Request>,
    pub codes: Shelf<Code>,
    pub grants: Shelf<Grant>,
    pub refresh: Shelf<Refresh>,
    pub access: Shelf<Access>,
    pub refreshes: u64,
    /// The administrator has allowed the application.
    pub allowed: bool,
}

/// A valid authorization request.
#[derive(Clone)]
pub(super) struct Request {
    pub redirect_uri: String,
    pub state: String,
    pub scopes: Vec<String>,
    pub challenge: String,
    pub nonce: Option<String>,
    /// Whether a refresh token was requested.
    pub offline: bool,
    pub locale: Locale,
    pub until: Timestamp,
}

/// An authorization code.
pub(super) struct Code {
    pub request: Request,
    pub persona: &'static Persona,
    pub until: Timestamp,
    pub spent: bool,
    /// The permission that it opened.
    pub opened: Option<Key>,
}

/// A permission.
pub(super) struct Grant {
    pub persona: &'static Persona,
    /// The account that signed in.
    pub login: String,
    pub scopes: Vec<String>,
    pub revoked: bool,
    /// Refreshes that were answered with an error although the permission exists.
    pub failures: u32,
}

pub(super) struct Refresh {
    pub grant: Key,
    pub used: bool,
}

pub(super) struct Access {
    pub grant: Key,
    pub until: Timestamp,
    pub mail: bool,
}

impl Registry {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, books: Mutex::default() }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl Books {
    /// Ends a permission with all its tokens.
    pub(super) fn revoke(&mut self, grant: &Key) {
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.revoked = true;
        }
    }

    /// Ends every permission of an account.
    pub(super) fn revoke_all(&mut self, login: &str) {
        let belongs = |grant: &Grant| grant.login == login || grant.persona.address() == login;
        self.grants.values_mut().filter(|grant| belongs(grant)).for_each(|grant| grant.revoked = true);
    }
}

impl Tokens {
    pub(super) fn of(registry: Arc<Registry>) -> Self {
        Self(Some(registry))
    }

    /// Whether a provider stands behind it.
    pub fn has_provider(&self) -> bool {
        self.0.is_some()
    }

    pub fn login_of(&self, access_token: &str) -> TokenState {
        let Some(registry) = &self.0 else { return TokenState::Unknown };
        let now = registry.now();
        let books = registry.books();
        let Some(access) = books.access.get(&key(access_token)) else { return TokenState::Unknown };
        let Some(grant) = books.grants.get(&access.grant).filter(|grant| !grant.revoked) else {
            return TokenState::Revoked;
        };
        let login = grant.login.clone();
        match (access.until <= now, access.mail) {
            (true, _) => TokenState::Expired { login },
            (false, false) => TokenState::WithoutScope { login },
            (false, true) => TokenState::Valid { login },
        }
    }

    /// The sandbox has accepted a message of this account.
    pub fn mail_accepted(&self, login: &str) {
        let Some(registry) = &self.0 else { return };
        let mut books = registry.books();
        let ends = |grant: &Grant| grant.login == login && grant.persona.plays == Plays::RevokedAfterMail;
        books.grants.values_mut().filter(|grant| ends(grant)).for_each(|grant| grant.revoked = true);
    }
}
