//! Browser side. The browser's validation, with our texts, beside the fields.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use crate::dom::{find, find_all, focus, show, text};

/// Focuses the first invalid field of a refused form (browsers ignore `autofocus` in cross-origin frames), or the field
/// that a failed test points to.
pub(super) fn arrive() {
    // Without WebAssembly the server fills these fields from the preset, so the form does not require them.
    for field in find_all::<HtmlInputElement>("#host, #port, #login") {
        field.set_required(true);
    }
    let wanted = find::<HtmlElement>("#profile-form [aria-invalid]")
        .or_else(|| find("#profile-form :target, #profile-form [autofocus]"));
    if let Some(field) = wanted {
        focus(&field);
    }
}

/// Whether `target` is a submit button and the form is invalid. Shows the errors and focuses the first invalid field.
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
    sum_up();
    if let Some(first) = wrong.first() {
        focus(first);
    }
    !wrong.is_empty()
}

/// Lists the wrong fields above the form, as links.
pub(super) fn sum_up() {
    let (Some(place), Some(list)) = (find::<Element>("#wrong"), find::<Element>("#wrong ul")) else { return };
    let mut links = String::new();
    for wrong in find_all::<Element>("#profile-form [aria-invalid]") {
        let id = wrong.id();
        let label = find::<Element>(&["label[for=", &id, "], #", &id, ">legend"].concat());
        // Without "(optional)".
        if let Some(name) = label.and_then(|label| label.first_child()?.text_content()) {
            links += &["<li><a href=#", &id, ">", &name, "</a></li>"].concat();
        }
    }
    show(&place, !links.is_empty());
    list.set_inner_html(&links);
}

/// Shows an error at a field.
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
    // Only a required field can be invalid when it is empty; each has its own text.
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

/// Removes the error of a field once it is being corrected, and errors of other fields that depend on it.
pub(super) fn forgive(input: &Element) {
    forgive_one(input);
    let others: &[&str] = match input.id().as_str() {
        "login" => &["sender_address", "secret"],
        "host" | "port" | "security-tls" | "security-starttls" | "security-none" => &["security", "secret"],
        _ => &[],
    };
    for other in others {
        let other = document().get_element_by_id(other);
        let empty = |other: &Element| other.dyn_ref::<HtmlInputElement>().is_none_or(|other| other.value().is_empty());
        if let Some(other) = other.filter(empty) {
            forgive_one(&other);
        }
    }
}

fn forgive_one(input: &Element) {
    if input.has_attribute("aria-invalid") {
        let _ = input.remove_attribute("aria-invalid");
        if let Some(fault) = fault_of(input) {
            fault.set_text_content(None);
        }
        // Lines are removed one by one: a rewritten list would be announced again.
        if let Some(line) = find::<Element>(&["#wrong li:has([href=\"#", &input.id(), "\"])"].concat()) {
            line.remove();
        }
        if let Some(place) = find::<Element>("#wrong") {
            show(&place, find::<Element>("#wrong li").is_some());
        }
    }
}

fn fault_of(input: &Element) -> Option<Element> {
    document().get_element_by_id(&(input.id() + "-fault"))
}
