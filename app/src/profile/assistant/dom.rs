//! Browser side. The few things the assistant asks of the DOM.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, InputEvent};

/// The first element that matches, as `T`.
pub(super) fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Every element that matches, as `T`.
pub(super) fn find_all<T: JsCast>(selector: &str) -> Vec<T> {
    let Ok(list) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()
}

/// The element an event happened to.
pub(super) fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether an input event brings pasted text.
pub(super) fn is_paste(event: &Event) -> bool {
    event.dyn_ref::<InputEvent>().is_some_and(|event| event.input_type() == "insertFromPaste")
}

/// Shows or hides an element.
pub(super) fn show(element: &Element, shown: bool) {
    let _ = element.toggle_attribute_with_force("hidden", !shown);
}

/// A text that the server put into an attribute.
pub(super) fn text(element: &Element, name: &str) -> String {
    element.get_attribute(name).unwrap_or_default()
}
