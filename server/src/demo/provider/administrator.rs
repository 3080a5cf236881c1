//! Server side. `/adminconsent`: the page on which the administrator of sandbox.example allows the application.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::{
    Provider,
    authorize::{failed, language},
    pages,
    params::Params,
};

/// `GET /adminconsent?client_id=…`.
pub(super) async fn ask(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let locale = language(params.first("ui_locales"), &headers);
    if params.first("client_id") != provider.0.options.client_id {
        return failed(locale, "unknown-client");
    }
    let allowed = provider.0.registry.books().allowed;
    pages::administrator(locale, &provider.0.options.client_id, allowed).into_response()
}

/// `POST /adminconsent`: from now on, the account `admin` signs in.
pub(super) async fn decide(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let locale = language(params.first("locale"), &headers);
    if !provider.is_own(&headers) {
        return failed(locale, "foreign");
    }
    if params.first("client_id") != provider.0.options.client_id {
        return failed(locale, "unknown-client");
    }
    let allows = params.first("decision") == "accept";
    provider.0.registry.books().allowed = allows;
    pages::administrator(locale, &provider.0.options.client_id, allows).into_response()
}
