//! The modules under test, read from where they are: compiling the whole server for each target takes minutes.
//!
//! Modules find each other by the same paths as in the server, `super::reply` for instance. Whatever is private to
//! `smtp` is reached through [`smtp::door`].

/// What the server knows as `app` is here too.
extern crate self as app;

#[path = "../../app/src/profile"]
pub mod profile {
    pub mod address;
    pub mod mechanism;
}

#[path = "../../server/src/smtp"]
#[allow(dead_code, reason = "the session, which uses the rest, is not here")]
pub mod smtp {
    mod auth;
    pub mod capabilities;
    #[path = "../../../fuzz/src/door.rs"]
    pub mod door;
    pub mod host;
    pub mod reply;
    mod transcript;
}
