//! Server side. Metrics of grants. A label `client` is the operator's own name for a registration.

use app::diagnosis::cause::Cause;
use jiff::civil::Date;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Metrics;
use crate::store::GrantCount;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refreshed {
    client: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GrantState {
    client: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfClient {
    client: String,
}

/// The metrics of grants.
#[derive(Default)]
pub(super) struct OauthMetrics {
    refreshes: Family<Refreshed, Counter>,
    grants: Family<GrantState, Gauge>,
    secret_expires: Family<OfClient, Gauge>,
}

impl OauthMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "oauth_refreshes",
            "Requests for access tokens, by client and outcome",
            self.refreshes.clone(),
        );
        registry.register("oauth_grants", "Grants in use, by client and state", self.grants.clone());
        registry.register(
            "oauth_client_secret_expires_timestamp_seconds",
            "When a client secret expires, as the configuration says",
            self.secret_expires.clone(),
        );
    }
}

impl Metrics {
    /// `outcome`: `refreshed`, `unavailable`, or a cause.
    pub fn token_refreshed(&self, client: &str, outcome: &str) {
        let labels = Refreshed { client: client.to_owned(), outcome: outcome.to_owned() };
        self.oauth.refreshes.get_or_create(&labels).inc();
    }

    /// Replaces the counts of grants.
    pub fn count_grants(&self, counts: &[GrantCount]) {
        self.oauth.grants.clear();
        for GrantCount { client, ended, grants } in counts {
            let state = ended.map_or("works", Cause::as_str).to_owned();
            let labels = GrantState { client: client.clone(), state };
            self.oauth.grants.get_or_create(&labels).set(i64::try_from(*grants).unwrap_or(i64::MAX));
        }
    }

    /// The day on which a client secret expires, at 00:00 UTC.
    pub fn client_secret_expires(&self, client: &str, day: Date) {
        let at = day.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp().as_second()).unwrap_or_default();
        self.oauth.secret_expires.get_or_create(&OfClient { client: client.to_owned() }).set(at);
    }
}
