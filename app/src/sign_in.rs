//! Signing in at the mail provider instead of entering a password.

#[cfg(feature = "ssr")]
pub mod admin;
#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod model;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod port;
#[cfg(feature = "ssr")]
pub mod signed_in;
#[cfg(feature = "ssr")]
pub mod view;
pub mod watch;
#[cfg(feature = "ssr")]
pub mod way;
#[cfg(feature = "hydrate")]
pub(crate) mod window;
