//! Server side. The operator's metrics, in the `OpenMetrics` text format that Prometheus reads.
//!
//! Labels are names of states, causes, routes and the operator's registrations only: never an account, address or host. To add a metric: a field, its
//! registration in [`Metrics::new`] with its unit, a line in `docs/operating.md`.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use app::{diagnosis::cause::Cause, test_run::report::Verdict};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};

use crate::store::outbox::{AttemptOutcome, QueueMetrics};

mod oauth;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: String,
    cause: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    what: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
}

/// From 1 ms to 10 s.
#[derive(Clone)]
struct Durations;

impl MetricConstructor<Histogram> for Durations {
    fn new_metric(&self) -> Histogram {
        Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
    }
}

/// Every metric.
pub struct Metrics {
    registry: Mutex<Registry>,
    accepted: Counter,
    attempts: Family<Ended, Counter>,
    tests: Family<Ended, Counter>,
    blocked: Family<Refused, Counter>,
    webhooks: Family<Called, Counter>,
    messages: Family<InState, Gauge>,
    events: Gauge,
    resting: Gauge,
    quarantined: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    connections: Family<InState, Gauge>,
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, Durations>,
    oauth: oauth::OauthMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("facteur");
        let metrics = Self {
            accepted: Counter::default(),
            attempts: Family::default(),
            tests: Family::default(),
            blocked: Family::default(),
            webhooks: Family::default(),
            messages: Family::default(),
            events: Gauge::default(),
            resting: Gauge::default(),
            quarantined: Gauge::default(),
            oldest: Gauge::default(),
            connections: Family::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(Durations),
            oauth: oauth::OauthMetrics::default(),
            registry: Mutex::default(),
        };
        registry.register("messages_accepted", "Messages accepted from portals", metrics.accepted.clone());
        registry.register("attempts", "Attempts to send a message, by outcome and cause", metrics.attempts.clone());
        registry.register("tests", "Tests that ended, by verdict and cause", metrics.tests.clone());
        let blocked = metrics.blocked.clone();
        registry.register("blocked_destinations", "Forms refused for a destination that is not allowed", blocked);
        registry.register("webhooks", "Webhook calls, by outcome", metrics.webhooks.clone());
        registry.register("messages", "Messages that are not finished, by state", metrics.messages.clone());
        registry.register("events_waiting", "Events not yet delivered to portals", metrics.events.clone());
        registry.register("servers_resting", "Mail servers in back-off after a failure", metrics.resting.clone());
        registry.register("rows_quarantined", "Quarantined rows: they cannot be decoded", metrics.quarantined.clone());
        registry.register(
            "oldest_message_age_seconds",
            "Age of the oldest waiting message, in seconds",
            metrics.oldest.clone(),
        );
        registry.register(
            "smtp_connections",
            "Connections to mail servers, active and idle",
            metrics.connections.clone(),
        );
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "How long requests took, in seconds",
            metrics.durations.clone(),
        );
        metrics.oauth.register(&mut registry);
        *metrics.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }

    /// A message was accepted from a portal.
    pub fn accepted(&self) {
        self.accepted.inc();
    }

    pub fn attempted(&self, outcome: AttemptOutcome, cause: Option<Cause>) {
        self.attempts.get_or_create(&ended(outcome.as_str(), cause)).inc();
    }

    pub fn tested(&self, verdict: Verdict, cause: Option<Cause>) {
        let verdict = match verdict {
            Verdict::Accepted => "accepted",
            Verdict::DryRunOk => "dry_run_ok",
            Verdict::Failed => "failed",
            Verdict::DeliveryUnknown => "delivery_unknown",
        };
        self.tests.get_or_create(&ended(verdict, cause)).inc();
    }

    /// `what`: `host` or `port`.
    pub fn blocked_destination(&self, what: &str) {
        self.blocked.get_or_create(&Refused { what: what.to_owned() }).inc();
    }

    /// `outcome`: `delivered`, `failed` or `given_up`.
    pub fn webhook(&self, outcome: &str) {
        self.webhooks.get_or_create(&Called { outcome: outcome.to_owned() }).inc();
    }

    /// `route` is the pattern of the path, never the path itself.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let answered = Answered { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&answered).inc();
        self.durations.get_or_create(&Asked { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// All metrics as text. `age_s`: age of the oldest waiting message.
    pub fn render(&self, queue: &QueueMetrics, age_s: f64, (active, idle): (u64, u64)) -> String {
        let set = |family: &Family<InState, Gauge>, state: &str, value: u64| {
            family.get_or_create(&InState { state: state.to_owned() }).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.messages, "queued", queue.queued.saturating_sub(queue.held));
        set(&self.messages, "held", queue.held);
        set(&self.messages, "deferred", queue.deferred);
        set(&self.messages, "sending", queue.sending);
        set(&self.connections, "active", active);
        set(&self.connections, "idle", idle);
        self.resting.set(i64::try_from(queue.resting).unwrap_or(i64::MAX));
        self.quarantined.set(i64::try_from(queue.quarantined).unwrap_or(i64::MAX));
        self.events.set(i64::try_from(queue.events).unwrap_or(i64::MAX));
        self.oldest.set(age_s);
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }
}

fn ended(outcome: &str, cause: Option<Cause>) -> Ended {
    Ended { outcome: outcome.to_owned(), cause: cause.map_or("none", Cause::as_str).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_rendered_with_their_names() {
        let metrics = Metrics::new();
        metrics.accepted();
        metrics.attempted(AttemptOutcome::Failed, Some(Cause::BadCredentials));
        metrics.answered("POST", "/api/v1/messages", 202, Duration::from_millis(2));
        metrics.webhook("delivered");
        let text =
            metrics.render(&QueueMetrics { queued: 7, held: 5, deferred: 3, ..QueueMetrics::default() }, 4.5, (2, 1));
        for line in [
            "facteur_messages_accepted_total 1",
            "facteur_attempts_total{outcome=\"failed\",cause=\"bad_credentials\"} 1",
            "facteur_messages{state=\"deferred\"} 3",
            "facteur_messages{state=\"held\"} 5",
            "facteur_messages{state=\"queued\"} 2",
            "facteur_servers_resting 0",
            "facteur_rows_quarantined 0",
            "facteur_oldest_message_age_seconds 4.5",
            "facteur_http_requests_total{method=\"POST\",route=\"/api/v1/messages\",status=\"202\"} 1",
            "facteur_http_request_duration_seconds_bucket{le=\"0.003\",route=\"/api/v1/messages\"} 1",
            "facteur_smtp_connections{state=\"active\"} 2",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
