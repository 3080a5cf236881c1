//! Browser side. The search box over the presets.

use ::model::search::finds;
use web_sys::{Element, HtmlInputElement};

use super::presets::choose;
use crate::dom::{find, find_all, focus, show, text};

/// The box is there once it works.
pub(super) fn arrive() {
    if let Some(search) = find::<Element>(".search") {
        let _ = search.class_list().add_1("shown");
    }
}

pub(super) fn is_it(target: &Element) -> bool {
    target.id() == "preset-search"
}

/// Whether it was the box that was typed in.
pub(super) fn typed(target: &Element) -> bool {
    let it = is_it(target);
    if let Some(input) = find::<HtmlInputElement>("#preset-search").filter(|_| it) {
        narrow(&input.value());
    }
    it
}

/// Enter in the search box: the only provider that is left is chosen.
pub(super) fn choose_the_only_one() {
    let mut left = find_all::<HtmlInputElement>("#presets .card-choice:not([hidden]) [data-p]");
    if let (Some(radio), true) = (left.pop(), left.is_empty()) {
        radio.set_checked(true);
        choose(&radio);
        focus(&radio);
    }
}

/// Shows the presets of whose name, search words or server `words` speaks; another server can always be chosen.
fn narrow(words: &str) {
    let wanted = words.trim();
    let mut found = false;
    for label in find_all::<Element>("#presets .card-choice:has([data-p])") {
        let hint = label.first_element_child().map(|radio| text(&radio, "data-p")).unwrap_or_default();
        let named = [label.text_content().unwrap_or_default(), text(&label, "data-s"), hint].join(" ");
        let matches = finds(&named, wanted);
        found |= matches;
        show(&label, matches);
    }
    if let Some(details) = find::<Element>("#presets details") {
        if !wanted.is_empty() {
            let _ = details.set_attribute("open", "");
        }
        // Closed and empty it would promise providers.
        show(&details, details.query_selector(".card-choice:not([hidden])").is_ok_and(|one| one.is_some()));
    }
    if let Some(none) = find::<Element>(".search [role=status]") {
        none.set_text_content(Some(&if found { String::new() } else { text(&none, "data-none") }));
    }
}
