//! Browser side. Shows warnings under the fields while the user types. Not when a field is left, unless the page
//! itself changed it.

use ::model::near::near;
use leptos::prelude::document;
use web_sys::HtmlInputElement;

use super::{
    address,
    radio::{hint_of, name_of, radios},
    secret,
};
use crate::{
    dom::{filled, find, text},
    profile::{
        password::{InnerSpaces, clean},
        preset_hint::PresetHint,
        security::Security,
        warnings::{Typed, Warning, warnings},
    },
};

fn value(id: &str) -> String {
    find::<HtmlInputElement>(&["#", id].concat()).map(|input| input.value()).unwrap_or_default()
}

/// Updates the warnings.
pub(super) fn look() {
    secret::follow();
    let [host, port, login, sender, secret] = ["host", "port", "login", "sender_address", "secret"].map(value);
    // Invisible characters are not part of a password: they are removed, or the field offers to.
    let secret = clean(&secret, InnerSpaces::Significant).value;
    let security =
        find::<HtmlInputElement>("#security input:checked").and_then(|radio| Security::parse(&radio.value()));
    let known: Vec<_> = radios().into_iter().filter_map(|radio| hint_of(&radio).map(|hint| (radio, hint))).collect();
    // Several presets may share a server: the chosen one comes first.
    let is_there = |hint: &PresetHint| hint.host.eq_ignore_ascii_case(host.trim());
    let first = known.iter().find(|(_, hint)| is_there(hint));
    let by_host = known.iter().find(|(radio, hint)| radio.checked() && is_there(hint)).or(first);
    let by_login = address::provider().and_then(|radio| hint_of(&radio).map(|hint| (radio, hint)));
    let by_login = by_login.as_ref();
    // Not while it is typed: the beginning of any name looks like a typing error.
    let typing = document().active_element().is_some_and(|active| active.id() == "host");
    let near = if typing { None } else { near(&host, known.iter().map(|(_, hint)| hint.host.as_str())) };
    let (login, sender, secret) = (login.as_str(), sender.as_str(), secret.as_str());
    let typed = Typed { host: &host, port: &port, security, login, sender, secret, near, finished: false };
    let found = warnings(typed, by_host.map(|(_, hint)| hint), by_login.map(|(_, hint)| hint));
    for warning in Warning::ALL {
        let Some(place) = document().get_element_by_id(&["w-", warning.code()].concat()) else { continue };
        let said = if found.contains(&warning) {
            let name = |one: Option<&(HtmlInputElement, _)>| one.map(|(radio, _)| name_of(radio)).unwrap_or_default();
            let said = text(&place, "data-words");
            let said = filled(&filled(&said, "host", &name(by_host)), "login", &name(by_login));
            filled(&said, "near", near.unwrap_or_default())
        } else {
            String::new()
        };
        // Screen readers announce a live region when it is written: do not repeat it.
        if place.text_content().as_deref() != Some(&said) {
            place.set_text_content(Some(&said));
        }
    }
}
