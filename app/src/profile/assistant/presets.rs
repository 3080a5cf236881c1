//! Browser side. Selecting a preset: it fills its fields, and the replaced values can be restored.

use std::cell::RefCell;

use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::{
    checks::forgive,
    guide::{fetch_guide, guide_of},
    mailbox,
    offer::{self, Before, HOST, LOGIN, Offer, PRESETS, clear, is_undo_offered, remark},
    radio::{PRESET, checked, chosen, hint_of, name_of, radios},
    warn,
};
use crate::{
    dom::{find, focus, is, spawn},
    profile::preset_hint::PresetHint,
};

thread_local! {
    /// The radio button that was selected last.
    static CHOSEN: RefCell<Option<HtmlInputElement>> = const { RefCell::new(None) };
    /// The values a preset filled in: a different value was typed by hand.
    static FILLED: RefCell<Option<PresetHint>> = const { RefCell::new(None) };
}

/// A preset that was selected before the WebAssembly loaded fills its fields.
pub(super) fn arrive() {
    FILLED.set(chosen());
    CHOSEN.set(checked());
    let host_is_empty = find::<HtmlInputElement>("#host").is_some_and(|host| host.value().is_empty());
    if let Some(radio) = checked().filter(|radio| host_is_empty && hint_of(radio).is_some()) {
        choose(&radio);
    }
}

pub(super) fn clicked(target: &Element) {
    if is(target, PRESET) {
        if let Some(radio) = checked() {
            choose(&radio);
        }
    } else if is(target, ".assistant button") {
        accept();
    }
}

/// Selects a preset whose values the form already has.
pub(super) fn choose_quietly(radio: HtmlInputElement) {
    radio.set_checked(true);
    FILLED.set(hint_of(&radio));
    CHOSEN.set(Some(radio));
}

/// Fills the form from a preset. Typed values are replaced too, and the remark says so.
pub(super) fn choose(radio: &HtmlInputElement) {
    choose_at(radio, PRESETS);
}

/// `place`: where it was selected, and where the remark is shown.
fn choose_at(radio: &HtmlInputElement, place: &str) {
    fetch_guide(radio.value());
    let preset = CHOSEN.replace(Some(radio.clone()));
    let pending = is_undo_offered();
    let Some(hint) = hint_of(radio) else {
        FILLED.set(None);
        if !pending {
            clear();
        }
        return;
    };
    let security = find::<HtmlInputElement>("#security input:checked");
    let before = FILLED.replace(Some(hint.clone()));
    let before = |part: fn(&PresetHint) -> String| before.as_ref().map(part);
    let mut replaced = Vec::new();
    let mut fill = |id: &'static str, value: String, was: Option<String>| {
        let Some(input) = find::<HtmlInputElement>(&["#", id].concat()) else {
            return;
        };
        let old = input.value();
        input.set_value(&value);
        forgive(&input);
        if !old.trim().is_empty() && old != value && Some(&old) != was.as_ref() {
            replaced.push((id, old));
        }
    };
    fill("host", hint.host.clone(), before(|hint| hint.host.clone()));
    fill("port", hint.port.to_string(), before(|hint| hint.port.to_string()));
    if let Some(login) = &hint.login {
        fill("login", login.clone(), before(|hint| hint.login.clone().unwrap_or_default()));
    } else {
        mailbox::pass_on();
    }
    let new = find::<HtmlInputElement>(&["#security-", hint.security.as_str()].concat());
    if let Some(new) = &new {
        new.set_checked(true);
    }
    if pending {
        return;
    }
    if replaced.is_empty() {
        return clear();
    }
    let mut names: Vec<String> = replaced.iter().map(|(id, _)| label_of(id)).collect();
    if security != new {
        names.push(find::<HtmlElement>("#security legend").map(|legend| legend.inner_text()).unwrap_or_default());
    }
    remark(place, "data-replaced", &names.join(", "), Offer::Undo(Before { typed: replaced, preset, security }));
}

fn label_of(id: &str) -> String {
    find::<HtmlElement>(&["label[for=", id, "]"].concat()).map(|label| label.inner_text()).unwrap_or_default()
}

/// The button: accepts the suggestion, or restores the replaced values.
fn accept() {
    match offer::take() {
        Offer::Nothing => {}
        Offer::Undo(Before { typed, preset, security }) | Offer::Return(Before { typed, preset, security }) => {
            for (id, old) in typed {
                if let Some(input) = find::<HtmlInputElement>(&["#", id].concat()) {
                    input.set_value(&old);
                }
            }
            if let Some(radio) = security {
                radio.set_checked(true);
            }
            if let Some(radio) = preset {
                fetch_guide(radio.value());
                // The pressed button is about to disappear.
                focus(&radio);
                choose_quietly(radio);
            }
            clear();
        }
        Offer::Choose(radio) => {
            if let Ok(Some(details)) = radio.closest("details") {
                let _ = details.set_attribute("open", "");
            }
            radio.set_checked(true);
            choose_at(&radio, LOGIN);
            if let Some(login) = find::<HtmlElement>("#login") {
                focus(&login);
            }
        }
    }
}

/// The server was typed by hand: shows its provider's guide, and deselects a preset of another server.
pub(super) fn settle(host: String) {
    if let Some(radio) = checked() {
        spawn(guide_of(radio.value(), host, settled));
    }
}

/// `id`: the preset of the typed server.
fn settled(id: String) {
    let Some(radio) = checked().filter(|radio| !radio.value().is_empty() && radio.value() != id) else { return };
    let Some(other) = radios().into_iter().find(|other| other.value() == id) else { return };
    choose_quietly(other);
    let typed = hint_of(&radio).map(|hint| ("host", hint.host)).into_iter().collect();
    let name = name_of(&radio);
    remark(HOST, "data-left", &name, Offer::Return(Before { typed, preset: Some(radio), security: None }));
    warn::look();
}
