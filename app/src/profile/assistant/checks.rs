//! Browser side. The browser's own checks, with our words, beside the fields.

use leptos::prelude::document;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::dom::{find, find_all, text};

/// A refused form comes back with the focus in its first wrong field (browsers ignore `autofocus` in frames of another
/// origin); a form that a failed test leads to, in the field to look at.
pub(super) fn arrive() {
    let wanted = find::<HtmlElement>("#profile-form [aria-invalid]").or_else(|| find("#profile-form :target"));
    if let Some(field) = wanted {
        let _ = field.focus();
    }
}

/// Whether `target` is a submit button that must not submit: fields are wrong. The first one gets the focus.
pub(super) fn stop(target: &Element) -> bool {
    let Ok(Some(button)) = target.closest("#profile-form button:not([type])") else {
        return false;
    };
    if button.has_attribute("formnovalidate") {
        return false;
    }
    let wrong: Vec<HtmlInputElement> = find_all("#profile-form input:invalid");
    for input in &wrong {
        tell(input);
    }
    if let Some(first) = wrong.first() {
        let _ = first.focus();
    }
    !wrong.is_empty()
}

/// Says what is wrong with a field.
pub(super) fn say_at(field: &str, words: &str) {
    if let Some(input) = document().get_element_by_id(field) {
        let _ = input.set_attribute("aria-invalid", "true");
        if let Some(fault) = fault_of(&input) {
            fault.set_text_content(Some(words));
        }
    }
}

fn tell(input: &HtmlInputElement) {
    let Some(form) = find::<Element>("#profile-form") else {
        return;
    };
    // Only the fields that are required can be wrong when they are empty; each has its own words.
    let name = match (input.value().is_empty(), input.id().as_str()) {
        (true, "host") => "data-required-host",
        (true, "port") => "data-required-port",
        (true, "secret") => "data-required-secret",
        (true, _) => "data-required-login",
        (false, "port") => "data-port",
        (false, "host") => "data-host",
        (false, _) => "data-address",
    };
    let _ = input.set_attribute("aria-invalid", "true");
    if let Some(fault) = fault_of(input) {
        fault.set_text_content(Some(&text(&form, name)));
    }
}

/// Takes back what was said about a field once it is being corrected.
pub(super) fn forgive(input: &Element) {
    if input.has_attribute("aria-invalid") {
        let _ = input.remove_attribute("aria-invalid");
        if let Some(fault) = fault_of(input) {
            fault.set_text_content(None);
        }
    }
}

fn fault_of(input: &Element) -> Option<Element> {
    document().get_element_by_id(&(input.id() + "-fault"))
}
