//! Both. **Tester** as it happens.
//!
//! The island is a listener around the list's form and the panel under it, both rendered by the server. Pressing the
//! button fills the panel; each line of the stream carries the HTML to show, so nothing is worded here. Without
//! WebAssembly the same button posts the form and gives the report as a page.

use leptos::{ev, prelude::*};

mod lines;

#[cfg(feature = "hydrate")]
mod browser;

/// Wraps the form and its panel.
#[island]
pub fn LiveTest(children: Children) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    on_cleanup(browser::stop);
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        browser::show_copy_buttons();
        browser::show_selected();
    });
    let submitted = |event: ev::SubmitEvent| {
        #[cfg(feature = "hydrate")]
        browser::submitted(&event);
        let _ = event;
    };
    let clicked = |event: ev::MouseEvent| {
        #[cfg(feature = "hydrate")]
        browser::clicked(&event);
        let _ = event;
    };
    view! { <div on:submit=submitted on:click=clicked>{children()}</div> }
}
