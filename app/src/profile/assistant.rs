//! Both. What makes the form quick: a preset fills its fields, an address proposes its preset, the search box narrows
//! the list, and a field that cannot be right says so before the form leaves.
//!
//! The DOM is the state. The island adds the search box and the notices; everything else is read from and written to
//! the inputs that the page rendered.

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
pub(crate) mod browser;

/// What the assistant has to say.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) enum Remark {
    #[default]
    Nothing,
    /// Values typed by hand gave way to the preset's: (input id, label, old value).
    Replaced(Vec<(String, String, String)>),
    /// The address belongs to a preset: (its radio's value, its name).
    Proposal(String, String),
}

/// `texts`: search, none found, replaced (`{names}`), undo, proposal (`{name}`), choose, and the browser's own checks:
/// required, address, port.
#[island]
pub fn PresetAssistant(texts: Vec<String>) -> impl IntoView {
    let remark = RwSignal::new(Remark::Nothing);
    let ready = RwSignal::new(false);
    let nothing_found = RwSignal::new(false);
    let text = StoredValue::new(texts);
    let say = move |index: usize| text.with_value(|texts| texts.get(index).cloned().unwrap_or_default());
    #[cfg(feature = "hydrate")]
    browser::attend(remark, text, ready);

    let words = move || match remark.get() {
        Remark::Nothing => String::new(),
        Remark::Replaced(fields) => {
            let names: Vec<String> = fields.into_iter().map(|(_, label, _)| label).collect();
            say(2).replace("{names}", &names.join(", "))
        }
        Remark::Proposal(_, name) => say(4).replace("{name}", &name),
    };
    let button = move || match remark.get() {
        Remark::Proposal(..) => say(5),
        _ => say(3),
    };
    let press = move |_| {
        #[cfg(feature = "hydrate")]
        browser::accept(remark);
    };
    let search = move |event| {
        #[cfg(feature = "hydrate")]
        nothing_found.set(!browser::narrow(&event_target_value(&event)));
        #[cfg(not(feature = "hydrate"))]
        let _: leptos::ev::Event = event;
    };
    view! {
        <p class="search" hidden=move || !ready.get()>
            <label for="preset-search">{say(0)}</label>
            <input type="search" id="preset-search" autocomplete="off" on:input=search />
            <span role="status">{move || if nothing_found.get() { say(1) } else { String::new() }}</span>
        </p>
        <p class="assistant" role="status" class:shown=move || remark.get() != Remark::Nothing>
            <span>{words}</span>
            <button type="button" hidden=move || remark.get() == Remark::Nothing on:click=press>{button}</button>
        </p>
    }
}
