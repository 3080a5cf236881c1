//! Both. What makes the form quick: a preset fills its fields, an address suggests its preset, the search box filters
//! the list, the eye shows the secret and cleans it, and an invalid field is reported before the form is submitted.
//!
//! The island listens to the form that the server rendered beside it. The DOM is the state: there are no props and no
//! signals, so neither JSON nor a catalogue is in the WebAssembly, and input from before it loaded is kept. Texts are
//! in `data-…` attributes.

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
mod address;
#[cfg(feature = "hydrate")]
mod checks;
#[cfg(feature = "hydrate")]
mod events;
#[cfg(feature = "hydrate")]
mod guide;
#[cfg(feature = "hydrate")]
mod leaving;
#[cfg(feature = "hydrate")]
mod mailbox;
#[cfg(feature = "hydrate")]
mod offer;
#[cfg(feature = "hydrate")]
mod presets;
#[cfg(feature = "hydrate")]
mod radio;
#[cfg(feature = "hydrate")]
mod search;
#[cfg(feature = "hydrate")]
mod secret;
#[cfg(feature = "hydrate")]
mod server;
#[cfg(feature = "hydrate")]
mod warn;

/// Placed after the form; renders nothing itself.
#[island]
pub fn FormAssistant() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    events::arrive();
}
