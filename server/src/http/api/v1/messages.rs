//! Server side. The endpoints of messages, one in each file.

use axum::{
    extract::{Path, rejection::PathRejection},
    http::HeaderMap,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::api_key;
use crate::{
    http::{
        Site,
        api::problem::{Code, Problem},
    },
    portal::Portal,
    store::outbox::MessageState,
};

#[cfg(test)]
mod costs;
pub mod create;
pub mod get;
pub mod list;
pub mod request;
pub mod resend;
mod view;

/// Largest body, in bytes: 25 MB of files in base64, two texts, and the JSON around them.
pub const LARGEST_BODY: usize = 40 * 1024 * 1024;

/// A message accepted from a portal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub id: Uuid,
    pub state: MessageState,
    /// The header `Message-ID`, without angle brackets. It never changes.
    pub message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

pub fn caller<'a>(site: &'a Site, headers: &HeaderMap) -> Result<&'a Portal, Problem> {
    api_key::portal(&site.portals, headers).ok_or_else(|| {
        tracing::warn!("API key refused");
        Problem::new(Code::Unauthorized)
    })
}

/// The id in a path.
fn message_id(path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
    let Path(id) = path.map_err(|_| Problem::detailed(Code::InvalidRequest, "the path is not UTF-8"))?;
    Uuid::try_parse(&id).map_err(|_| Problem::new(Code::NotFound))
}
