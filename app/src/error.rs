//! Server side. The only error type of the configurator's server functions.
//!
//! It contains only codes and field names, no text and no input, so it can be sent to clients unchanged. [`finish`]
//! decides what a browser and what a program receive.

use axum::http::{HeaderValue, StatusCode, header};
use leptos::{
    prelude::{expect_context, use_context},
    server_fn::{codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr},
};
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};

use crate::{base_path::at, profile::field::FieldError};

/// What can go wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum AppError {
    /// No session, or one that has ended.
    #[error("no session")]
    SessionRequired,
    /// It does not exist, or belongs to another account.
    #[error("not found")]
    NotFound,
    /// Fields are wrong; nothing was saved.
    #[error("invalid fields")]
    Invalid { fields: Vec<FieldError> },
    /// Too many tests; try again in this many seconds.
    #[error("too many requests")]
    Limited { retry_after_s: u32 },
    /// The profile's state does not allow this: its secret is missing, unreadable, or was refused too often.
    #[error("not in this state")]
    Conflict,
    /// It has changed since the form was shown.
    #[error("changed meanwhile")]
    Stale,
    /// The form was opened for another account, or another person of it.
    #[error("the form is another account's")]
    OtherAccount,
    /// The request itself is malformed.
    #[error("malformed request")]
    Malformed,
    /// The form has an unknown field; nothing was saved.
    #[error("unknown field")]
    UnknownField { field: String },
    /// The account has reached its limit of profiles.
    #[error("too many profiles")]
    TooManyProfiles { most: u32 },
    /// A stored row does not decode, or a value cannot be stored: an internal error, already logged.
    #[error("internal error")]
    Internal,
    /// The store or the vault is unavailable; already logged.
    #[error("service unavailable")]
    Unavailable,
}

impl AppError {
    /// The HTTP status of the error.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::SessionRequired => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::UnknownField { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict | Self::Stale | Self::OtherAccount | Self::TooManyProfiles { .. } => StatusCode::CONFLICT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page to which a browser is redirected after a native post that failed this way.
    pub fn page(&self) -> String {
        match self {
            Self::SessionRequired => "/session-ended".to_owned(),
            Self::NotFound => "/profiles?notice=gone".to_owned(),
            Self::Limited { retry_after_s } => format!("/profiles?notice=limited&seconds={retry_after_s}"),
            Self::UnknownField { .. } => "/profiles?notice=unknown-field".to_owned(),
            Self::TooManyProfiles { most } => format!("/profiles?notice=full&count={most}"),
            Self::Stale | Self::OtherAccount => "/profiles?stale=1".to_owned(),
            Self::Invalid { .. } | Self::Conflict | Self::Malformed => "/profiles?notice=malformed".to_owned(),
            Self::Internal | Self::Unavailable => "/profiles?notice=unavailable".to_owned(),
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// The framework's own errors: undecodable arguments are the caller's fault, everything else is ours.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::Malformed
            }
            _ => Self::Unavailable,
        }
    }
}

/// The result of a server function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    page: String,
    refused: Option<AppError>,
}

impl Ending {
    /// Nothing was changed: `page` explains it, and a program gets the error.
    pub const fn refused(page: String, error: AppError) -> Self {
        Self { page, refused: Some(error) }
    }
}

/// It succeeded, and this page shows it.
impl From<String> for Ending {
    fn from(page: String) -> Self {
        Self { page, refused: None }
    }
}

/// Ends a native post: redirects a browser (303) to the page that shows the outcome, and gives a program the error with
/// its status.
pub fn finish(outcome: Result<impl Into<Ending>, AppError>) -> Result<(), AppError> {
    let outcome = outcome.map(Into::into);
    if wants_page() {
        let page = at(&outcome.map_or_else(|error| error.page(), |ending: Ending| ending.page));
        let page = HeaderValue::try_from(page).map_err(|_| AppError::Internal)?;
        let response = expect_context::<ResponseOptions>();
        response.insert_header(header::LOCATION, page);
        response.set_status(StatusCode::SEE_OTHER);
        return Ok(());
    }
    match outcome {
        Ok(Ending { refused: None, .. }) => Ok(()),
        Ok(Ending { refused: Some(error), .. }) | Err(error) => Err(answer(error)),
    }
}

/// Sets the status of an error that is returned to a program.
pub fn answer(error: AppError) -> AppError {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(error.status());
        if let AppError::Limited { retry_after_s } = error {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
    }
    error
}

/// Whether the request comes from a form of the page rather than from a program.
pub fn wants_page() -> bool {
    use_context::<axum::http::request::Parts>().is_some_and(|parts| wants_page_of(&parts))
}

/// The same, decided earlier: the framework does not see the headers of a form's request.
#[derive(Debug, Clone, Copy)]
pub struct AsksForPage(pub bool);

/// The same for a given request.
pub fn wants_page_of(parts: &axum::http::request::Parts) -> bool {
    if let Some(AsksForPage(decided)) = parts.extensions.get() {
        return *decided;
    }
    parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}
