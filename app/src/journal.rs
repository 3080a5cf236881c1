//! Server side. Who changed what: an account's history, which its owner can read.

pub mod filter;
pub mod model;
pub mod page;
pub mod port;
