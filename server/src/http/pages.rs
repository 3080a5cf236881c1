//! Server side. Responses outside leptos's route table: a single guide, the provider of a domain, and the page for all
//! other paths. The modules:
//!
//! | file | what it is |
//! |---|---|
//! | `assets` | the built site |
//! | `error` | responses that are not pages of the application |
//! | `headers` | the headers of every response |
//! | `notice_proof` | a notice in an address is shown only with a proof |

use app::{profile::guide, session::Visit, shell::shell, sign_in::model::SignInWay};
use axum::{
    Extension,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::MethodRouter,
};
use leptos::{config::LeptosOptions, prelude::*};
use serde::Deserialize;

use super::Site;

pub mod assets;
pub mod error;
pub mod headers;
pub mod notice_proof;

/// `GET /`: the first page.
pub async fn home(State(site): State<Site>) -> Redirect {
    Redirect::to(&format!("{}/sending-mode", site.base_path.0))
}

/// The preset whose guide is requested, and the server if it was typed by hand.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    preset: String,
    #[serde(default)]
    host: String,
}

/// The header with the preset whose guide the response contains.
static PRESET: HeaderName = HeaderName::from_static("preset");

/// `GET /profiles/guide?preset=…&host=…`: how to get a provider's secret, as a fragment for the form. Without a session
/// the query is ignored.
pub async fn guide(
    State(site): State<Site>,
    chosen: Result<Query<Chosen>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let Some(Visit::Open(session)) = parts.extensions.get::<Visit>() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let ways = site.services.sign_ins.ways(&session.account.portal);
    let Ok(Query(chosen)) = chosen else { return StatusCode::BAD_REQUEST.into_response() };
    let (html, preset) = fragment(&site, parts, &ways, &chosen);
    let mut response = Html(html).into_response();
    if let Ok(preset) = HeaderValue::try_from(preset) {
        response.headers_mut().insert(&PRESET, preset);
    }
    response
}

fn fragment(site: &Site, parts: Parts, ways: &[SignInWay], chosen: &Chosen) -> (String, String) {
    Owner::new().with(|| {
        provide_context(parts);
        let (html, preset) = guide::fragment(&site.services.presets, ways, &chosen.preset, &chosen.host);
        (html, preset.to_owned())
    })
}

/// The domain of an address.
#[derive(Deserialize)]
pub struct Domain {
    #[serde(default)]
    domain: String,
    /// Set: a typo is tolerated.
    #[serde(default)]
    near: Option<String>,
}

/// `GET /profiles/provider?domain=…`: the id of the preset of this domain's mail provider; with `near`, also of a
/// domain that differs by a typo; empty if there is none.
pub async fn provider(
    State(site): State<Site>,
    asked: Result<Query<Domain>, QueryRejection>,
    visit: Extension<Visit>,
) -> Response {
    if !matches!(*visit, Visit::Open(_)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(Query(Domain { domain, near })) = asked else { return StatusCode::BAD_REQUEST.into_response() };
    let presets = &site.services.presets;
    let preset = if near.is_some() { presets.near_domain(&domain) } else { presets.by_address(&format!("@{domain}")) };
    preset.map_or_else(String::new, |preset| preset.id.clone()).into_response()
}

/// The response to `OPTIONS *` (RFC 9110 §9.3.7): what the server as a whole supports.
const METHODS: &str = "GET, HEAD, POST";

/// Every other path, for any method.
pub fn not_found(
    options: LeptosOptions,
    context: impl Fn() + Clone + Send + Sync + 'static,
) -> MethodRouter<LeptosOptions> {
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    axum::routing::any(move |request: Request| {
        let render = render.clone();
        async move {
            if *request.method() == Method::OPTIONS && request.uri().path() == "*" {
                return (StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)]).into_response();
            }
            render(request).await
        }
    })
}
