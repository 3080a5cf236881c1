//! Server side. `GET /api/v1/messages?account=…`.

use app::session::AccountId;
use axum::{
    Json,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use mail::aside::aside;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    caller,
    request::id_faults,
    view::{MessageView, view},
};
use crate::{
    http::{
        Site,
        api::problem::{Code, Problem},
        forms::is_utf8,
    },
    store::outbox::MessageState,
};

/// Messages on a page: the default, and the most.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
/// A page with more attempts and recipients is serialised off the async threads.
const A_FEW: usize = 100;

/// The allowed parameters, for an error.
const QUERY: &str = "account is required; state, before (an id) and limit (1 to 200) are optional; no others";

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// The newest first.
    pub messages: Vec<MessageView>,
    /// The value of `before` for the next page; `null` on the last one.
    pub next: Option<Uuid>,
}

/// The parameters of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The portal's id of the account.
    #[param(min_length = 1, max_length = 256)]
    account: String,
    /// Only messages in this state.
    #[param(inline)]
    state: Option<MessageState>,
    /// Only messages older than this one.
    before: Option<Uuid>,
    /// 1 to 200; default: 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List an account's messages
#[utoipa::path(
    get,
    path = "/api/v1/messages",
    tag = "messages",
    params(ListQuery),
    responses(
        (status = 200, description = "The newest first", body = MessagePage),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(site): State<Site>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let portal = caller(&site, &headers)?;
    if !raw.is_none_or(|raw| is_utf8(raw.as_bytes())) {
        return Err(Problem::detailed(Code::InvalidRequest, "the query is not UTF-8"));
    }
    let Query(ListQuery { account, state, before, limit }) =
        query.map_err(|_| Problem::detailed(Code::InvalidRequest, QUERY))?;
    if let Some(fault) = id_faults("account", &account).into_iter().next() {
        return Err(Problem::detailed(Code::InvalidRequest, format!("account: {}", fault.detail)));
    }
    let limit = limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::detailed(Code::InvalidRequest, "limit must be from 1 to 200"));
    }
    let account = AccountId { portal: portal.id.clone(), account };
    let rows = site.store.messages(&account, state, before, limit).await?;
    let next = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.message.id)).flatten();
    let attempts: usize = rows.iter().map(|row| row.attempts.len() + row.message.recipients.len()).sum();
    let page = aside(attempts > A_FEW, || {
        let messages = rows.into_iter().map(|row| view(row.message, row.attempts)).collect();
        Json(MessagePage { messages, next }).into_response()
    });
    Ok(page)
}
