//! Browser side. The assistant's hands: it reads and writes the inputs of the form.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement};

use super::Remark;
use crate::profile::preset_hint::PresetHint;

const PRESET: &str = "input[name='draft[preset]']";

fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

fn find_all(selector: &str) -> Vec<Element> {
    let list = document().query_selector_all(selector).ok();
    list.map(|list| (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()).unwrap_or_default()
}

fn hint_of(radio: &HtmlInputElement) -> Option<PresetHint> {
    PresetHint::decode(&radio.get_attribute("data-p")?)
}

/// What the chosen preset fills.
pub(crate) fn chosen_hint() -> Option<PresetHint> {
    hint_of(&find::<HtmlInputElement>(&format!("{PRESET}:checked"))?)
}

/// Listens to the form.
pub(super) fn attend(remark: RwSignal<Remark>, texts: StoredValue<Vec<String>>, ready: RwSignal<bool>) {
    // The values that a preset filled in: what differs from them was typed by hand.
    let filled = StoredValue::new(chosen_hint());
    let clicked = window_event_listener(ev::click, move |event| {
        let Some(target) = target(&event) else { return };
        if target.matches(PRESET).unwrap_or(false) {
            if let Ok(radio) = target.dyn_into::<HtmlInputElement>() {
                choose(&radio, filled, remark);
            }
        } else if let Ok(Some(button)) = target.closest("#profile-form button:not([type])")
            && !button.has_attribute("formnovalidate")
            && !texts.with_value(|texts| everything_valid(texts))
        {
            event.prevent_default();
        }
    });
    let typed = window_event_listener(ev::input, move |event| {
        let Some(target) = target(&event) else { return };
        forgive(&target);
        if target.id() == "login" {
            propose(&event_target_value(&event), remark);
        }
    });
    let pressed = window_event_listener(ev::keydown, |event| {
        let in_search = target(&event).is_some_and(|target| target.id() == "preset-search");
        if in_search && event.key() == "Enter" {
            event.prevent_default();
        }
    });
    on_cleanup(move || {
        clicked.remove();
        typed.remove();
        pressed.remove();
    });
    Effect::new(move |_| {
        ready.set(true);
        // Chosen before the WebAssembly arrived.
        let host_is_empty = find::<HtmlInputElement>("#host").is_some_and(|host| host.value().is_empty());
        if let Some(radio) = find::<HtmlInputElement>(&format!("{PRESET}:checked"))
            && host_is_empty
        {
            choose(&radio, filled, remark);
        }
    });
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Fills the form from a preset. What was typed by hand gives way too, and the remark says so.
fn choose(radio: &HtmlInputElement, filled: StoredValue<Option<PresetHint>>, remark: RwSignal<Remark>) {
    fetch_guide(radio.value());
    let Some(hint) = hint_of(radio) else {
        filled.set_value(None);
        remark.set(Remark::Nothing);
        return;
    };
    let before = filled.get_value();
    let mut replaced = Vec::new();
    let mut fill = |id: &str, value: String, was: Option<String>| {
        let Some(input) = find::<HtmlInputElement>(&format!("#{id}")) else { return };
        let old = input.value();
        let by_hand = !old.trim().is_empty() && old != value && Some(&old) != was.as_ref();
        if by_hand {
            replaced.push((id.to_owned(), label_of(id), old));
        }
        input.set_value(&value);
        forgive(&input);
    };
    fill("host", hint.host.clone(), before.as_ref().map(|hint| hint.host.clone()));
    fill("port", hint.port.to_string(), before.as_ref().map(|hint| hint.port.to_string()));
    if let Some(login) = &hint.login {
        fill("login", login.clone(), before.and_then(|hint| hint.login));
    }
    if let Some(security) = find::<HtmlInputElement>(&format!("#security-{}", hint.security.as_str())) {
        security.set_checked(true);
    }
    filled.set_value(Some(hint));
    remark.set(if replaced.is_empty() { Remark::Nothing } else { Remark::Replaced(replaced) });
}

fn label_of(id: &str) -> String {
    find::<HtmlElement>(&format!("label[for={id}]")).map(|label| label.inner_text()).unwrap_or_default()
}

/// Replaces the guide beside the password field by the chosen preset's.
fn fetch_guide(preset: String) {
    leptos::task::spawn_local(async move {
        let Ok(response) = gloo_net::http::Request::get(&format!("/profiles/guide?preset={preset}")).send().await else {
            return;
        };
        if let (true, Ok(html), Some(guide)) = (response.ok(), response.text().await, find::<Element>("#guide")) {
            guide.set_inner_html(&html);
        }
    });
}

/// Proposes the preset that an address belongs to, unless it is chosen already.
fn propose(address: &str, remark: RwSignal<Remark>) {
    if chosen_hint().is_some_and(|hint| hint.knows(address)) {
        return;
    }
    let known = find_all(PRESET)
        .into_iter()
        .filter_map(|radio| radio.dyn_into::<HtmlInputElement>().ok())
        .find(|radio| hint_of(radio).is_some_and(|hint| hint.knows(address)));
    let proposal = known.map(|radio| {
        let name = radio.parent_element().and_then(|label| label.text_content()).unwrap_or_default();
        Remark::Proposal(radio.value(), name)
    });
    match proposal {
        Some(proposal) => remark.set(proposal),
        None if matches!(remark.get_untracked(), Remark::Proposal(..)) => remark.set(Remark::Nothing),
        None => {}
    }
}

/// The button of the remark: takes the proposal, or takes the replacement back.
pub(super) fn accept(remark: RwSignal<Remark>) {
    match remark.get_untracked() {
        Remark::Nothing => {}
        Remark::Replaced(fields) => {
            for (id, _, old) in fields {
                if let Some(input) = find::<HtmlInputElement>(&format!("#{id}")) {
                    input.set_value(&old);
                }
            }
            remark.set(Remark::Nothing);
        }
        Remark::Proposal(preset, _) => {
            if let Some(radio) = find::<HtmlInputElement>(&format!("{PRESET}[value='{preset}']")) {
                if let Ok(Some(details)) = radio.closest("details") {
                    let _ = details.set_attribute("open", "");
                }
                radio.click();
            }
        }
    }
}

/// Shows the presets whose name or search words hold `words`; whether there are any.
pub(super) fn narrow(words: &str) -> bool {
    let wanted = words.trim().to_lowercase();
    let mut found = false;
    for label in find_all("#presets .card-choice") {
        let words = label.get_attribute("data-s").unwrap_or_default();
        let matches = format!("{} {words}", label.text_content().unwrap_or_default()).to_lowercase().contains(&wanted);
        found |= matches;
        let _ = label.toggle_attribute_with_force("hidden", !matches);
    }
    if let Some(details) = find::<Element>("#presets details")
        && !wanted.is_empty()
    {
        let _ = details.set_attribute("open", "");
    }
    found
}

/// Runs the browser's own checks and shows their result beside the fields; the first wrong one gets the focus.
fn everything_valid(texts: &[String]) -> bool {
    let wrong: Vec<HtmlInputElement> =
        find_all("#profile-form input:invalid").into_iter().filter_map(|input| input.dyn_into().ok()).collect();
    for input in &wrong {
        let text = match (input.value().is_empty(), input.id().as_str()) {
            (true, _) => 6,
            (false, "port") => 8,
            (false, _) => 7,
        };
        let _ = input.set_attribute("aria-invalid", "true");
        if let Some(fault) = document().get_element_by_id(&format!("{}-fault", input.id())) {
            fault.set_text_content(texts.get(text).map(String::as_str));
        }
    }
    if let Some(first) = wrong.first() {
        let _ = first.focus();
    }
    wrong.is_empty()
}

/// Takes back what was said about a field once it is being corrected.
fn forgive(input: &Element) {
    if input.get_attribute("aria-invalid").is_some() {
        let _ = input.remove_attribute("aria-invalid");
        if let Some(fault) = document().get_element_by_id(&format!("{}-fault", input.id())) {
            fault.set_text_content(None);
        }
    }
}
