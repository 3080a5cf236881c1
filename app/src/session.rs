//! Server side. Who is asking, as the portal vouched for it.
//!
//! The server's middleware finds the session of the cookie and puts a [`Visit`] into the request; pages read it with
//! [`visit`], server functions begin with [`session`] and fail closed.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::request::Parts;
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

use crate::{
    error::{AppError, answer},
    i18n::Locale,
    journal::model::Author,
    profile::draft::{Choice, KeptDraft},
    theme::GivenTheme,
};

/// The tenant boundary: one customer of one portal. Every query carries it, and it only ever comes from the session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountId {
    pub portal: String,
    pub account: String,
}

/// Somebody of the account for whom mail can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub name: String,
}

/// Somebody of an account. What they typed is theirs, whichever session they typed it in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    pub account: AccountId,
    pub id: String,
}

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
    /// Where the confirmation mail of a test goes.
    pub email: String,
    pub users: Vec<User>,
    pub locale: Locale,
    /// The page of the portal that leads back.
    pub return_url: Option<String>,
    /// How the pages look for this visit, over the portal's own theme.
    pub theme: GivenTheme,
}

impl Session {
    /// Whoever is signed in, as the author of a change.
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

/// What the cookie of a request stands for.
#[derive(Debug, Clone)]
pub enum Visit {
    Open(Arc<Session>),
    /// There was a session; it has ended.
    Ended {
        locale: Locale,
        return_url: Option<String>,
        /// Whose session it was, unless it was revoked.
        who: Option<Person>,
    },
    /// No cookie, or one that means nothing.
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

    /// The way back to the portal.
    pub fn return_url(&self) -> Option<&str> {
        match self {
            Self::Open(session) => session.return_url.as_deref(),
            Self::Ended { return_url, .. } | Self::Stranger { return_url, .. } => return_url.as_deref(),
        }
    }
}

/// The visit of the request being answered.
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

/// Keeps what was typed into a form and is not saved, by person: sessions end, tabs are closed. For a day; never a secret.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// The name of a form that makes a new profile.
    fn new_form(&self) -> String;
    async fn keep(&self, who: &Person, draft: &KeptDraft) -> Result<(), AppError>;
    /// What was typed into the form, the newest first.
    async fn kept(&self, who: &Person) -> Result<Vec<KeptDraft>, AppError>;
    /// What was chosen on the page of this name.
    async fn choice(&self, who: &Person, form: &str) -> Result<Option<Choice>, AppError>;
    async fn forget(&self, who: &Person, form: &str) -> Result<(), AppError>;
}
