//! Server side. Errors as problem details (RFC 9457) with stable codes.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use app::error::AppError;

use crate::{
    outbox::{NoRoute, Refused},
    store::StoreError,
};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong. Codes do not change their meaning; new ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }
        }
    };
}

codes! {
    /// No key, or none of a registered portal.
    Unauthorized = "unauthorized", UNAUTHORIZED, "The API key is missing or unknown";
    /// The body is not a JSON object.
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON";
    /// The query or a header cannot be parsed.
    InvalidRequest = "invalid_request", BAD_REQUEST, "Cannot parse the request";
    /// The body's type is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be application/json";
    /// The body is larger than 40 MiB. (Files of more than 25 MB are an `invalid_message`.)
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The message is too large";
    /// Fields are invalid: see `errors`.
    InvalidMessage = "invalid_message", UNPROCESSABLE_ENTITY, "The message cannot be sent as it is";
    /// The same key was used with another message.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key was used for another message";
    /// The body arrived too slowly, or not at all.
    BodyTooSlow = "body_too_slow", REQUEST_TIMEOUT, "The body did not arrive in time";
    /// A token ends sessions of its own person only; the portal's key ends those of any person.
    Forbidden = "forbidden", FORBIDDEN, "The token does not allow this";
    /// The portal has no such message.
    NotFound = "not_found", NOT_FOUND, "There is no such message";
    /// No endpoint has this path.
    NoSuchEndpoint = "no_such_endpoint", NOT_FOUND, "There is no such endpoint: see /api";
    /// The endpoint does not support this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The endpoint does not support this method";
    /// The account sends through its own servers, and has none in use for this user or the shop.
    NoProfile = "no_profile", CONFLICT, "The account has no mail server in use";
    /// The password of the profile in use is missing, or cannot be decrypted.
    ProfileIncomplete = "profile_incomplete", CONFLICT, "The account's mail server has no password";
    /// The account sends through the portal's server, and none is configured.
    NoRelay = "no_relay", CONFLICT, "The portal has no mail server";
    /// It is still being sent or was accepted, so it cannot be resent.
    NotFinished = "not_finished", CONFLICT, "This message cannot be resent";
    /// Its content was deleted.
    ContentGone = "content_gone", GONE, "The message's content has been deleted";
    /// A row is damaged, or the service has a bug: a retry does not help until the operator has looked at it.
    Internal = "internal", INTERNAL_SERVER_ERROR, "A fault inside the service";
    /// Too many requests at once: retry.
    Busy = "busy", SERVICE_UNAVAILABLE, "Too many requests at once";
    /// The database or the vault is not responding: retry.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service is unavailable";
}

/// The kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Required,
    /// Unknown field.
    Unknown,
    /// Wrong type.
    WrongType,
    TooLong,
    TooMany,
    TooLarge,
    /// Not an address such as `claire@example.com`.
    AddressInvalid,
    /// A control character, such as a line end, where none is allowed.
    ControlCharacter,
    /// Not base64 (RFC 4648 §4).
    Base64Invalid,
    /// Not a type such as `application/pdf`.
    ContentTypeInvalid,
    /// The sender cannot be chosen: the profile decides it.
    SenderNotAllowed,
    /// It belongs to another account or person.
    NotAllowed,
    /// Not a language tag such as `fr` or `en-GB`.
    LanguageInvalid,
}

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// JSON pointer to the field (RFC 6901).
    #[schema(example = "/to/0/address")]
    pub field: String,
    pub code: Fault,
    /// For developers; may change.
    pub detail: String,
}

impl FieldFault {
    pub fn new(field: impl Into<String>, code: Fault, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code, detail: detail.into() }
    }
}

/// Problem details (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A URI reference that identifies the code.
    #[serde(rename = "type")]
    #[schema(example = "/api#no_profile")]
    pub kind: String,
    pub title: String,
    #[schema(example = 409)]
    pub status: u16,
    pub code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The invalid fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self {
            kind: format!("/api#{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status().as_u16(),
            code,
            detail: None,
            errors: Vec::new(),
        }
    }

    pub fn detailed(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// For a response that has a status and no problem.
    pub fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::UNAUTHORIZED => Code::Unauthorized,
            StatusCode::FORBIDDEN => Code::Forbidden,
            StatusCode::NOT_FOUND => Code::NoSuchEndpoint,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Code::BodyTooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            status if status.is_server_error() => Code::Unavailable,
            _ => Code::InvalidRequest,
        };
        Self { status: status.as_u16(), ..Self::new(code) }
    }

    pub fn fields(errors: Vec<FieldFault>) -> Self {
        Self { errors, ..Self::new(Code::InvalidMessage) }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(match refused {
            Refused::NoRoute(NoRoute::NoProfile) => Code::NoProfile,
            Refused::NoRoute(NoRoute::ProfileIncomplete) => Code::ProfileIncomplete,
            Refused::NoRoute(NoRoute::NoRelay) => Code::NoRelay,
            Refused::KeyReused => Code::IdempotencyKeyReused,
            Refused::NoRoute(NoRoute::Damaged) | Refused::Internal => Code::Internal,
            Refused::NoRoute(NoRoute::Unavailable) | Refused::Unavailable => Code::Unavailable,
        })
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        Self::new(match error {
            AppError::Internal => Code::Internal,
            _ => Code::Unavailable,
        })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        error.log().into()
    }
}

impl Problem {
    /// The response of a Facteur whose pages are below `place`, so that `type` leads to its own description.
    pub fn answer(mut self, place: &str) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(self.code.status());
        self.kind = format!("{place}/api#{}", self.code.as_str());
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let more = match status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = more {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Handlers do not know the base path: [`problems_only`](super::problems_only) finds the problem in the response's
    /// extensions, and builds the response again.
    fn into_response(self) -> Response {
        let mut response = self.clone().answer("");
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_can_be_tried_again_and_a_damaged_row_cannot() {
        let damaged = StoreError::Inconsistent { table: "message", column: "id", row: "1".to_owned() };
        let away = StoreError::Unavailable(sqlx::Error::PoolTimedOut);
        for (error, status, retry) in [(damaged, 500, false), (away, 503, true)] {
            let response = Problem::from(error).into_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retry);
        }
    }
}
