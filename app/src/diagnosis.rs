//! Both. What can go wrong with a submission, and its explanation.

pub use ::model::cause;

#[cfg(feature = "ssr")]
pub mod advice;
#[cfg(feature = "ssr")]
mod blame;
#[cfg(feature = "ssr")]
pub mod card;
#[cfg(feature = "ssr")]
pub use ::model::fix;
#[cfg(feature = "ssr")]
pub mod retype;
