//! Browser side. The presets' radio buttons: which there are, which one is chosen, what each fills.

use web_sys::HtmlInputElement;

use crate::{
    dom::{find, find_all},
    profile::preset_hint::PresetHint,
};

pub(super) const PRESET: &str = "input[name='draft[preset]']";

pub(super) fn hint_of(radio: &HtmlInputElement) -> Option<PresetHint> {
    PresetHint::decode(&radio.get_attribute("data-p")?)
}

/// A preset's name, as its card says it.
pub(super) fn name_of(radio: &HtmlInputElement) -> String {
    let label = radio.parent_element().and_then(|label| label.query_selector("span").ok()?);
    label.and_then(|name| name.text_content()).unwrap_or_default()
}

/// Every preset's radio button.
pub(super) fn radios() -> Vec<HtmlInputElement> {
    find_all(PRESET)
}

pub(super) fn checked() -> Option<HtmlInputElement> {
    find("input[name='draft[preset]']:checked")
}

/// What the chosen preset fills.
pub(super) fn chosen() -> Option<PresetHint> {
    hint_of(&checked()?)
}
