//! Both. **Tester**, live.
//!
//! The island listens to the list's form and the panel under it (`#live`), both rendered by the server. Pressing the
//! button fills the panel; each line of the stream carries the HTML to show, so the island contains no texts. Without
//! WebAssembly the same button posts the form, and the report is a page.

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

/// Placed after the elements it listens to; renders nothing itself.
#[island]
pub fn LiveTest() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::arrive();
}
