//! Browser side. The panel of the live test: its position and its texts.

use web_sys::{Element, Event, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::dom::{find, find_all, is, show as set_shown};

/// The current step.
pub(super) const NOW: &str = ".now span";

/// Moves an element, unless it is there already: moving takes the focus away.
pub(super) fn put_after(place: &Element, element: &Element) {
    if place.next_element_sibling().as_ref() != Some(element) {
        let _ = place.insert_adjacent_element("afterend", element);
    }
}

/// Scrolls the window as little as needed.
pub(super) fn nearest(element: &HtmlElement) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Scrolls an element into view. A frame is as tall as its content, so only the portal's page can scroll to it:
/// `frame.js` receives the event and requests that.
pub(super) fn in_sight(selector: &str) {
    if let Some(element) = find::<HtmlElement>(selector) {
        nearest(&element);
        if let Ok(reveal) = Event::new("reveal") {
            let _ = element.dispatch_event(&reveal);
        }
    }
}

pub(super) fn fill(selector: &str, html: &str) {
    if let Some(place) = find::<Element>(selector) {
        place.set_inner_html(html);
    }
}

pub(super) fn part(selector: &str) -> Option<Element> {
    find(&[".panel ", selector].concat())
}

pub(super) fn panel() -> Option<Element> {
    find(".panel")
}

/// Empties the panel and shows it under this profile. `says`: the attribute with its first text.
pub(super) fn open_panel(profile: &str, says: &str) {
    for selector in [".panel .tested", ".panel .phases", ".panel .stages", ".panel .result", "#waiting"] {
        fill(selector, "");
    }
    say(NOW, says);
    let row = find::<Element>(&["#profile-", profile].concat()).and_then(|radio| radio.parent_element());
    if let (Some(row), Some(panel)) = (row, panel()) {
        let buttons = row.next_element_sibling().filter(|next| is(next, ".toolbar"));
        put_after(buttons.as_ref().unwrap_or(&row), &panel);
        set_shown(&panel, true);
    }
    in_sight(".panel");
}

pub(super) fn set_busy(busy: bool) {
    if let (Some(panel), Some(stop)) = (panel(), part(".stop")) {
        let _ = panel.set_attribute("aria-busy", if busy { "true" } else { "false" });
        set_shown(&stop, busy);
    }
}

/// Shows one of the panel's texts in an element.
pub(super) fn say(selector: &str, name: &str) {
    if let (Some(panel), Some(element)) = (panel(), part(selector)) {
        element.set_text_content(panel.get_attribute(name).as_deref());
    }
}

/// Shows the buttons that need a script.
pub(super) fn show_buttons() {
    for button in find_all::<Element>(".copy[hidden], .retype .eye[hidden]") {
        set_shown(&button, true);
    }
}
