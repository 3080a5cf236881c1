//! Server side. What the outbox keeps: messages, what was tried with each, what portals are told.
//!
//! A message stands in a **lane**: the queue of its account and user. A worker claims it with a lease, and
//! everything that follows is only written while the lease holds. What is written together is one transaction: the state
//! of a message, its attempt, what it tells of the profile, and the event that says so.

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
