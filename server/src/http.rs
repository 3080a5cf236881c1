//! Server side. The route table, and the layers around it.
//!
//! leptos serves pages and server functions. Added here: opening, renewing and ending a session, the built site, a
//! guide's fragment. To add a route: a line in [`router`], its handler in a file of `http/`.

use std::{ops::Deref, sync::Arc};

use app::{
    app::App,
    base_path::BasePath,
    services::{Clock, Services},
    shell::shell,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use leptos::{config::LeptosOptions, prelude::provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
};

use crate::{
    credentials::Vault,
    metrics::Metrics,
    outbox::Outbox,
    portal::{Portal, token::TokenVerifier},
    sign_in::SignInService,
    store::Store,
};

mod api;
mod connections;
mod forms;
mod monitoring;
mod origin;
mod pages;
mod session;
mod sign_in;
#[cfg(test)]
mod tests;

use forms::{other_account, resume, unknown_fields};
use monitoring::health;
use pages::{assets, error, headers, notice_proof};
use session::{open, renew, theme, visit};

pub use api::{BodyBudget, BodyMemory, make_key};
pub use connections::{
    ConnectionLimits,
    forwarded::{ForwardedHeader, Proxies},
    listener::serve,
};
pub use monitoring::{health::ReadinessCache, metrics::router as metrics};

/// Largest body of a request, in bytes: ten times a form with every field at its limit.
const BODY_LIMIT: usize = 64 * 1024;

/// State shared by the handlers. It is cloned several times for each request.
#[derive(Clone)]
pub struct Site(Arc<SiteParts>);

/// The parts of a site.
pub struct SiteParts {
    pub public_origin: String,
    /// The path of the pages below it.
    pub base_path: BasePath,
    pub portals: Arc<[Portal]>,
    pub store: Arc<dyn Store>,
    pub services: Services,
    pub vault: Vault,
    pub clock: Clock,
    pub outbox: Arc<Outbox>,
    pub sign_ins: SignInService,
    pub metrics: Arc<Metrics>,
    pub readiness: ReadinessCache,
    pub body_memory: Arc<BodyMemory>,
}

impl From<SiteParts> for Site {
    fn from(parts: SiteParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Site {
    type Target = SiteParts;

    fn deref(&self) -> &SiteParts {
        &self.0
    }
}

impl Site {
    /// Our own address, without a trailing slash.
    fn public_url(&self) -> String {
        format!("{}{}", self.public_origin, self.base_path.0)
    }

    fn token_verifier(&self) -> TokenVerifier<'_> {
        TokenVerifier { portals: &self.portals, public_url: self.public_url() }
    }
}

/// Every route of the configurator. With a base path, each is served with and without it: some proxies remove it.
pub fn router(site: Site) -> Router {
    let base_path = site.base_path.0.clone();
    let routes = routes(site);
    if base_path.is_empty() {
        routes
    } else {
        Router::new().nest_service(&base_path, routes.clone()).fallback_service(routes)
    }
}

fn routes(site: Site) -> Router {
    let options = LeptosOptions::builder().output_name("facteur").site_pkg_dir(assets::package_folder()).build();
    let services = site.services.clone();
    let metrics = site.metrics.clone();
    let context = move || provide_context(services.clone());
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    Router::new()
        .route("/", get(pages::home))
        .route("/session", post(open::open))
        .route("/session/tab", post(open::open_tab))
        .route("/session/theme", post(theme::set_theme))
        .route("/session/renew", post(renew::renew))
        .route("/session/again", post(renew::reopen))
        .route("/oauth/go", post(sign_in::go))
        .route("/oauth/callback/{client}", get(sign_in::callback))
        .route("/oauth/done", get(sign_in::done))
        .route("/oauth/progress", get(sign_in::progress))
        .route(resume::PATH, post(resume::resume))
        .route(api::v1::sessions::PATH, post(api::v1::sessions::revoke))
        .route("/profiles/guide", get(pages::guide))
        .route("/profiles/provider", get(pages::provider))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/pkg/{*path}", get(assets::package))
        .route("/favicon.svg", get(assets::favicon))
        .route("/favicon.ico", get(assets::favicon))
        .route("/embed.js", get(assets::embed))
        .route("/embed.mjs", get(assets::embed))
        .merge(api::routes())
        .with_state(site.clone())
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), document)
        .fallback(pages::not_found(options.clone(), context))
        .with_state(options)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(site.clone(), unknown_fields::refuse))
        .layer(middleware::from_fn_with_state(site.clone(), other_account::refuse))
        .layer(middleware::from_fn_with_state(site.clone(), forms::check))
        .layer(middleware::from_fn_with_state(site.clone(), resume::keep))
        .layer(middleware::from_fn_with_state(site.clone(), origin::same_origin))
        .layer(middleware::from_fn_with_state(site.clone(), notice_proof::check))
        .layer(middleware::from_fn_with_state(site.clone(), visit::recognise))
        // Inside the next layer: a panic under `/api` must become a problem too.
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(site.clone(), api::problems_only))
        .layer(middleware::from_fn_with_state(site, headers::protect))
        .layer(middleware::from_fn_with_state(metrics, monitoring::metrics::count))
        .layer(CompressionLayer::new().compress_when(
            // A live test must not wait in the compressor's buffer.
            DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream")),
        ))
        .layer(CatchPanicLayer::custom(error::panicked))
}
