//! Server side. What an operator's programs ask: whether the process lives, whether it can work, its metrics.

pub mod health;
pub mod metrics;
