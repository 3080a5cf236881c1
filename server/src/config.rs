//! Server side. The one place that reads the environment.

/// The filter of the logs: the variable `FACTEUR_LOG`, in tracing's syntax (`info`, `server=debug`…).
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn log_filter() -> String {
    std::env::var("FACTEUR_LOG").unwrap_or_else(|_| "info,sqlx=warn,hyper=warn".to_owned())
}

/// The machine's clock.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
pub fn clock() -> app::services::Clock {
    std::sync::Arc::new(jiff::Timestamp::now)
}
