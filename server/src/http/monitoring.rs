//! Server side. What an operator's programs ask: liveness, readiness, metrics.

pub mod health;
pub mod metrics;
