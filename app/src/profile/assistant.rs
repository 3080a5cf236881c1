//! Both. What makes the form quick: a preset fills its fields, an address proposes its preset, the search box narrows
//! the list, the eye shows the secret and cleans it, and a field that cannot be right says so before the form leaves.
//!
//! The island listens to the form that the server rendered beside it. The DOM is the state: there are no props and no
//! signals, so neither JSON nor a catalogue is in the WebAssembly, and what was typed before it arrived stays. Texts
//! stand in `data-…` attributes.

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

/// Stands behind the form, and shows nothing of its own.
#[island]
pub fn FormAssistant() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    events::arrive();
}
