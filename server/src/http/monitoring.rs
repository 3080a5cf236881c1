//! Server side. For an operator's programs: liveness, readiness, metrics.

pub mod health;
pub mod metrics;
