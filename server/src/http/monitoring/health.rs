//! Server side. Liveness and readiness.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::State, http::StatusCode};
use tokio::sync::Mutex;

use crate::{credentials::CanaryError, http::Site};

/// How long a result is kept: any client may ask, and each check writes.
const FRESH: Duration = Duration::from_secs(1);
/// The store's own timeout is shorter; this covers everything else.
const LONGEST: Duration = Duration::from_secs(5);

/// The last check and its time.
pub type ReadinessCache = Arc<Mutex<Option<(Instant, Ready)>>>;

type Ready = (StatusCode, &'static str);

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the vault's keys open the database, and it can be written. The reason of a failure is logged, and
/// named in a word.
pub async fn ready(State(site): State<Site>) -> Ready {
    // Concurrent requests share one check.
    let mut last = site.readiness.lock().await;
    if let Some((at, ready)) = *last
        && at.elapsed() < FRESH
    {
        return ready;
    }
    let ready = check(&site).await;
    *last = Some((Instant::now(), ready));
    ready
}

async fn check(site: &Site) -> Ready {
    let checks = async {
        site.vault.check(&*site.store).await?;
        site.store.heartbeat((site.clock)()).await.map_err(CanaryError::Store)
    };
    match tokio::time::timeout(LONGEST, checks).await {
        Ok(Ok(())) => (StatusCode::OK, "ready"),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "not ready");
            let word = if matches!(error, CanaryError::WrongKey(_)) { "vault" } else { "database" };
            (StatusCode::SERVICE_UNAVAILABLE, word)
        }
        Err(_) => {
            tracing::error!("not ready: the database is not responding");
            (StatusCode::SERVICE_UNAVAILABLE, "database")
        }
    }
}
