//! Both. **Tester** as it happens.
//!
//! The island listens to the list's form and the panel under it (`#live`), both rendered by the server. Pressing the button
//! fills the panel; each line of the stream carries the HTML to show, so nothing is worded here. Without WebAssembly the
//! same button posts the form and gives the report as a page.

use leptos::prelude::*;

mod lines;

#[cfg(feature = "hydrate")]
mod answer;
#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod copy;
#[cfg(feature = "hydrate")]
mod panel;

/// Stands behind what it listens to, and shows nothing of its own.
#[island]
pub fn LiveTest() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::arrive();
}
