//! Both. What can go wrong with a submission, and how it is explained.

pub mod cause;

#[cfg(feature = "ssr")]
pub mod advice;
#[cfg(feature = "ssr")]
pub mod card;
#[cfg(feature = "ssr")]
pub mod fix;
#[cfg(feature = "ssr")]
pub mod provider;
