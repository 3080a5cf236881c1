//! Both. What makes the form quick: a preset fills its fields, an address proposes its preset, the search box narrows
//! the list, the eye shows the secret and cleans it, and a field that cannot be right says so before the form leaves.
//!
//! The island is a listener around the form that the server rendered. The DOM is the state: there are no props and no
//! signals, so neither JSON nor a catalogue is in the WebAssembly, and what was typed before it arrived stays. Texts
//! stand in `data-…` attributes.

use leptos::{ev, prelude::*};

#[cfg(feature = "hydrate")]
mod checks;
#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod leaving;
#[cfg(feature = "hydrate")]
mod presets;
#[cfg(feature = "hydrate")]
mod secret;
#[cfg(feature = "hydrate")]
mod warn;

/// Wraps the form.
#[island]
pub fn FormAssistant(children: Children) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        presets::arrive();
        secret::arrive();
        checks::arrive();
        leaving::arrive();
        warn::look();
    });
    let clicked = |event: ev::MouseEvent| {
        #[cfg(feature = "hydrate")]
        if let Some(target) = dom::target(&event) {
            presets::clicked(&target);
            secret::clicked(&target);
            // A choice, the eye, a button of a remark; not the press that sends the form.
            if !target.matches("#content .actions *").unwrap_or(false) {
                warn::look();
            }
            if target.matches("input[type=radio], #assistant button, #secret-remark button").unwrap_or(false) {
                leaving::changed();
            }
            if checks::stop(&target) {
                event.prevent_default();
            }
        }
        let _ = event;
    };
    let typed = |event: ev::Event| {
        #[cfg(feature = "hydrate")]
        if let Some(target) = dom::target(&event) {
            checks::forgive(&target);
            if target.id() != "preset-search" {
                leaving::changed();
            }
            presets::typed(&target);
            secret::typed(&target, dom::is_paste(&event));
            warn::look();
        }
        let _ = event;
    };
    let pressed = |event: ev::KeyboardEvent| {
        // In the search box Enter would press Valider: it chooses the only provider that is left.
        #[cfg(feature = "hydrate")]
        if event.key() == "Enter" && dom::target(&event).is_some_and(|target| target.id() == "preset-search") {
            event.prevent_default();
            presets::choose_the_only_one();
            warn::look();
        }
        let _ = event;
    };
    let left = |event: ev::Event| {
        #[cfg(feature = "hydrate")]
        if let Some(target) = dom::target(&event) {
            presets::left(&target);
            if target.id() != "preset-search" {
                leaving::keep();
            }
        }
        let _ = event;
    };
    let submitted = |event: ev::SubmitEvent| {
        #[cfg(feature = "hydrate")]
        leaving::submitted(&event);
        let _ = event;
    };
    view! {
        <div on:click=clicked on:input=typed on:keydown=pressed on:change=left on:submit=submitted>{children()}</div>
    }
}
