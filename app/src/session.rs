//! Server side. The visitor, as identified by the portal's token.
//!
//! The server's middleware looks up the cookie's session and adds a [`Visit`] to the request. Pages read it with
//! [`visit`]; server functions call [`session`] first, which fails without one.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::tz::TimeZone;
use leptos::prelude::use_context;
pub use model::account::{AccountId, Person, User};
use model::locale::Locale;

use crate::{
    error::{AppError, answer},
    journal::model::Author,
    theme::GivenTheme,
};

/// A session that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash under which the session is stored; the cookie's value itself is never kept.
    pub key: [u8; 32],
    pub account: AccountId,
    pub account_name: String,
    /// The portal's name, as its registration says.
    pub portal_name: String,
    /// The person who is signed in to the portal.
    pub person: User,
    /// The recipient of test messages.
    pub email: String,
    pub users: Vec<User>,
    pub locale: Locale,
    /// The reader's time zone: a name of the IANA Time Zone Database such as `Europe/Paris`.
    pub time_zone: Option<String>,
    /// The portal's page that the way back leads to.
    pub return_url: Option<String>,
    /// The theme of this visit, over the portal's own.
    pub theme: GivenTheme,
}

impl Session {
    /// The signed-in user, as the author of a change.
    pub const fn author(&self) -> Author<'_> {
        Author { account: &self.account, person: &self.person }
    }

    /// Whose session it is.
    pub fn who(&self) -> Person {
        Person { account: self.account.clone(), id: self.person.id.clone() }
    }

    /// The name of a profile's owner; `None` for a user the portal no longer lists.
    pub fn user_name(&self, id: &str) -> Option<&str> {
        self.users.iter().find(|user| user.id == id).map(|user| user.name.as_str())
    }
}

/// How many seconds the session of a visit has left. Given by the server with each request.
#[derive(Debug, Clone, Copy)]
pub struct SessionLeft(pub i64);

/// What the cookie of a request identifies.
#[derive(Debug, Clone)]
pub enum Visit {
    Open(Arc<Session>),
    /// A session that has ended.
    Ended {
        locale: Locale,
        return_url: Option<String>,
        /// Whose session it was, unless it was revoked.
        who: Option<Person>,
    },
    /// No cookie, or an unknown one.
    Stranger {
        locale: Locale,
        return_url: Option<String>,
    },
}

impl Visit {
    pub fn locale(&self) -> Locale {
        match self {
            Self::Open(session) => session.locale,
            Self::Ended { locale, .. } | Self::Stranger { locale, .. } => *locale,
        }
    }

    /// The reader's time zone, as the portal named it.
    pub fn time_zone(&self) -> Option<TimeZone> {
        match self {
            Self::Open(session) => TimeZone::get(session.time_zone.as_deref()?).ok(),
            Self::Ended { .. } | Self::Stranger { .. } => None,
        }
    }

    /// The way back to the portal.
    pub fn return_url(&self) -> Option<&str> {
        match self {
            Self::Open(session) => session.return_url.as_deref(),
            Self::Ended { return_url, .. } | Self::Stranger { return_url, .. } => return_url.as_deref(),
        }
    }
}

/// The visit of the current request.
pub fn visit() -> Visit {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Visit>().cloned())
        .unwrap_or(Visit::Stranger { locale: Locale::default(), return_url: None })
}

/// The open session of the request, or the error that says there is none.
pub fn session() -> Result<Arc<Session>, AppError> {
    match visit() {
        Visit::Open(session) => Ok(session),
        Visit::Ended { .. } | Visit::Stranger { .. } => Err(answer(AppError::SessionRequired)),
    }
}
