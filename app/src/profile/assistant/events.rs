//! Browser side. Passes each event to the part of the assistant that handles it.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, InputEvent, KeyboardEvent, SubmitEvent};

use super::{address, checks, leaving, mailbox, offer, presets, radio::PRESET, search, secret, server, warn};
use crate::{
    dom::{find, is, listen, press, target},
    sign_in::window,
};

/// Called once, when the WebAssembly is loaded.
pub(super) fn arrive() {
    let Some(form) = find::<Element>("#profile-form") else { return };
    listen(&form, &["click", "input", "keydown", "change", "submit"], heard);
    press::arrive();
    window::arrive();
    search::arrive();
    presets::arrive();
    secret::arrive();
    checks::arrive();
    leaving::arrive();
    address::look(warn::look);
}

/// Updates what depends on the provider of the login's address.
fn addressed() {
    offer::propose();
    warn::look();
}

fn heard(event: Event) {
    let Some(target) = target(&event) else { return };
    match event.type_().as_str() {
        "click" => clicked(&event, &target),
        "input" => typed(&event, &target),
        "keydown" => pressed(&event, &target),
        "change" => left(&target),
        _ => leaving::submitted(event.unchecked_ref::<SubmitEvent>()),
    }
}

fn clicked(event: &Event, target: &Element) {
    presets::clicked(target);
    secret::clicked(target);
    // A choice, the eye, a button of a remark; not the press that submits the form.
    if !is(target, ".actions *") {
        warn::look();
    }
    if is(target, "input[type=radio], .assistant button, #secret-remark button") {
        leaving::changed();
    }
    if checks::stop(target) {
        event.prevent_default();
    }
}

fn typed(event: &Event, target: &Element) {
    checks::forgive(target);
    if search::typed(target) {
        return;
    }
    leaving::changed();
    offer::typed(&target.id());
    if target.id() == "login" {
        address::look(addressed);
    }
    let pasted = event.dyn_ref::<InputEvent>().is_some_and(|event| event.input_type() == "insertFromPaste");
    secret::typed(target, pasted);
    warn::look();
}

/// In the search box, Enter would press Valider. Here it selects the only preset left.
fn pressed(event: &Event, target: &Element) {
    if search::is_it(target) && event.unchecked_ref::<KeyboardEvent>().key() == "Enter" {
        event.prevent_default();
        search::choose_the_only_one();
        warn::look();
    }
}

fn left(target: &Element) {
    server::left(target);
    mailbox::left(target);
    // The arrow keys select every preset they pass: the last one is stored after the pause.
    if !search::is_it(target) && !is(target, PRESET) {
        leaving::keep();
    }
}
