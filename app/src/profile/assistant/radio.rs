//! Browser side. The presets' radio buttons: all of them, the selected one, and the values of each.

use web_sys::HtmlInputElement;

use crate::{
    dom::{find, find_all},
    profile::preset_hint::PresetHint,
};

pub(super) const PRESET: &str = "input[name='draft[preset]']";

pub(super) fn hint_of(radio: &HtmlInputElement) -> Option<PresetHint> {
    PresetHint::decode(&radio.get_attribute("data-p")?)
}

/// A preset's name as on its card.
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

/// The values of the selected preset.
pub(super) fn chosen() -> Option<PresetHint> {
    hint_of(&checked()?)
}
