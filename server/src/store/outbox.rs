//! Server side. What the outbox stores: messages, attempts, and events for portals.
//!
//! A message is in a **lane**: the queue of its account and user. A worker claims it with a lease, and later writes
//! happen only while the lease holds. Each outcome is one transaction: the message's state, its attempt, the profile's
//! health, and the event about it.

mod lane;
mod message;
mod rest;
mod settlement;
mod transition;

pub use lane::*;
pub use message::*;
pub use rest::{Passage, Rest};
pub use settlement::*;
pub use transition::StateFilter;
