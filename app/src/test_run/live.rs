//! Both. **Tester** as it happens.
//!
//! The island wraps the list's form. Pressing the button opens a panel under it; each line of the stream carries the
//! HTML to show, so nothing is worded here. Without WebAssembly the same button posts the form and gives the report as
//! a page.

use leptos::prelude::*;

mod lines;

#[cfg(feature = "hydrate")]
mod browser;

/// `texts`: starting, cut off, stop, stopped. `label` names the panel.
#[island]
pub fn LiveTest(texts: Vec<String>, label: String, children: Children) -> impl IntoView {
    let root = NodeRef::<leptos::html::Div>::new();
    let running = RwSignal::new(false);
    let stop_label = texts.get(2).cloned().unwrap_or_default();
    let text = StoredValue::new(texts);
    #[cfg(feature = "hydrate")]
    let run = browser::Run::new(root, running, text);
    #[cfg(not(feature = "hydrate"))]
    let _ = text;
    let submit = move |event| {
        #[cfg(feature = "hydrate")]
        run.submitted(&event);
        #[cfg(not(feature = "hydrate"))]
        let _: leptos::ev::SubmitEvent = event;
    };
    let stop = move |_| {
        #[cfg(feature = "hydrate")]
        run.stop();
    };
    view! {
        <div class="live" node_ref=root on:submit=submit>
            {children()}
            <section class="panel" hidden aria-label=label aria-busy=move || running.get().to_string()>
                <ol class="stages" aria-live="polite"></ol>
                <p class="now" hidden=move || !running.get()>
                    <span role="status"></span>
                    <button type="button" on:click=stop>{stop_label}</button>
                </p>
                <div class="result" aria-live="polite"></div>
            </section>
        </div>
    }
}
