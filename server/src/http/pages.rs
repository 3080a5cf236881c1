//! Server side. Pages outside the table of routes: a single guide, and the page for everything else.

use app::{profile::guide, session::Visit, shell::shell};
use axum::{
    extract::{Query, Request, State},
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::MethodRouter,
};
use leptos::{config::LeptosOptions, prelude::*};
use serde::Deserialize;

use super::Site;

/// The preset whose guide is asked for.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    preset: String,
}

/// `GET /profiles/guide?preset=…`: how to get a provider's secret, as a fragment for the form.
pub async fn guide(State(site): State<Site>, Query(chosen): Query<Chosen>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if !matches!(parts.extensions.get::<Visit>(), Some(Visit::Open(_))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Html(fragment(&site, parts, &chosen.preset)).into_response()
}

fn fragment(site: &Site, parts: Parts, preset: &str) -> String {
    Owner::new().with(|| {
        provide_context(parts);
        guide::fragment(&site.services.presets, preset)
    })
}

/// Every other path.
pub fn not_found(
    options: LeptosOptions,
    context: impl Fn() + Clone + Send + Sync + 'static,
) -> MethodRouter<LeptosOptions> {
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    axum::routing::get(move |request: Request| {
        let render = render.clone();
        async move { render(request).await }
    })
}
