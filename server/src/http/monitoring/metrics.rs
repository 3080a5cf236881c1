//! Server side. The operator's metrics: counted here, and served at an address of their own.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{http::pages::error, metrics::Metrics, outbox::Outbox, store::Store};

/// `OpenMetrics` 1.0.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts a response under the pattern of its path; paths without one are counted together.
pub async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    // Unknown methods share one label, because clients may invent them.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    };
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    metrics.answered(method, &route, response.status().as_u16(), began.elapsed());
    response
}

struct MetricsState {
    metrics: Arc<Metrics>,
    outbox: Arc<Outbox>,
    store: Arc<dyn Store>,
}

/// `GET /metrics`.
pub fn router(metrics: Arc<Metrics>, outbox: Arc<Outbox>, store: Arc<dyn Store>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(Arc::new(MetricsState { metrics, outbox, store }))
}

async fn show(State(state): State<Arc<MetricsState>>) -> Response {
    match state.store.queue_metrics(state.outbox.now()).await {
        Ok(queue) => {
            let age_s = queue.oldest.map_or(0.0, |at| state.outbox.age_s(at));
            let text = state.metrics.render(&queue, age_s, state.outbox.connections());
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
        }
        Err(failure) => error::store_failed(failure),
    }
}
