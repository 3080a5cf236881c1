//! Server side. The theme of a session's pages.

use std::collections::BTreeMap;

use app::{
    session::{Session, Visit},
    theme::GivenTheme,
};
use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::visit;
use crate::{
    http::{Site, pages::error},
    objects::Object,
};

/// `POST /session/theme`: the page around the frame changes the theme. Invalid values are ignored; the response has the
/// style to apply to the document.
pub async fn set_theme(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    given: Result<Json<Object<GivenTheme>>, JsonRejection>,
) -> Response {
    let Visit::Open(session) = &visit else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(Json(Object(given))) = given else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let given = session.theme.clone().under(given);
    match site.store.set_theme(&session.key, &given).await {
        Ok(true) => {
            let theme = visit::look(&site, &Session { theme: given, ..(**session).clone() });
            let variables: BTreeMap<String, String> = theme.declarations().into_iter().collect();
            Json(json!({ "scheme": theme.scheme(), "variables": variables })).into_response()
        }
        Ok(false) => StatusCode::UNAUTHORIZED.into_response(),
        Err(failure) => error::store_failed(failure),
    }
}
