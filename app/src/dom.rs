//! Browser side. The DOM functions that the islands use, and their event listeners.
//!
//! The listeners are the DOM's own rather than `on:click` and the like, and no state is reactive: the DOM is the state.
//! This keeps the framework's runtime, a quarter of the bytes, out of the WebAssembly.

pub(crate) mod press;

use std::{future::Future, pin::Pin, time::Duration};

use leptos::prelude::{document, set_timeout};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventTarget, HtmlElement, HtmlInputElement};

/// The first element that matches, as `T`.
pub(crate) fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Every element that matches, as `T`.
pub(crate) fn find_all<T: JsCast>(selector: &str) -> Vec<T> {
    let Ok(list) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()
}

/// The element that an event happened to.
pub(crate) fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether an element matches.
pub(crate) fn is(element: &Element, selector: &str) -> bool {
    element.matches(selector).unwrap_or(false)
}

/// Moves the focus.
pub(crate) fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

/// Shows or hides an element.
pub(crate) fn show(element: &Element, shown: bool) {
    let _ = element.toggle_attribute_with_force("hidden", !shown);
}

/// A text from an attribute that the server wrote.
pub(crate) fn text(element: &Element, name: &str) -> String {
    element.get_attribute(name).unwrap_or_default()
}

/// A text with its `{name}` filled in. Searching with the standard library would add a fortieth to the WebAssembly.
pub(crate) fn filled(text: &str, name: &str, value: &str) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((place, rest)) if place == name => filled += &[value, rest].concat(),
            _ => filled += &["{", part].concat(),
        }
    }
    filled
}

/// Toggles whether the password beside an eye is shown; returns whether it is now.
pub(crate) fn toggle_secret(eye: &Element) -> bool {
    let field = eye.previous_element_sibling().and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    let Some(field) = field else { return false };
    let reveal = field.type_() == "password";
    field.set_type(if reveal { "text" } else { "password" });
    let _ = eye.set_attribute("aria-pressed", if reveal { "true" } else { "false" });
    reveal
}

/// Calls `hear` for every event of these types, for the lifetime of the page.
pub(crate) fn listen(target: &EventTarget, types: &[&str], hear: fn(Event)) {
    let listener = Closure::<dyn Fn(Event)>::new(hear);
    for name in types {
        let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    }
    listener.forget();
}

/// Runs `action` after a pause. Boxed, so that the timer is compiled once.
pub(crate) fn after(pause: Duration, action: impl FnOnce() + 'static) {
    let boxed: Box<dyn FnOnce()> = Box::new(action);
    set_timeout(boxed, pause);
}

/// Runs a future. Boxed, so that the executor is compiled only once.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    let boxed: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    js_sys::futures::spawn_local(boxed);
}
