//! Both. **Tester**: the test, its stages, its report.

pub use ::model::stage as event;
pub mod live;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod panel;
#[cfg(feature = "ssr")]
pub mod passable;
#[cfg(feature = "ssr")]
pub mod phases;
#[cfg(feature = "ssr")]
pub mod port;
#[cfg(feature = "ssr")]
pub mod receipt;
#[cfg(feature = "ssr")]
pub mod receipt_card;
#[cfg(feature = "ssr")]
pub use ::model::report;
#[cfg(feature = "ssr")]
pub mod stages;
#[cfg(feature = "ssr")]
pub use ::model::survey;
#[cfg(feature = "ssr")]
pub mod stream;
