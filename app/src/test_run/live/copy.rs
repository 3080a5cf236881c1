//! Browser side. The buttons that copy the text beside them.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument};

/// Copies the text beside a button. In a cross-origin frame `navigator.clipboard` needs a permission from the portal;
/// `execCommand` does not.
pub(super) fn copy(button: &Element) {
    let Ok(Some(place)) = button.closest(".passable") else { return };
    let (Ok(Some(text)), Ok(Some(status))) = (place.query_selector("pre"), place.query_selector("[role=status]"))
    else {
        return;
    };
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(&text);
    }
    let page = document().dyn_into::<HtmlDocument>().ok();
    let copied = page.is_some_and(|page| page.exec_command("copy").unwrap_or(false));
    let said = status.get_attribute(if copied { "data-copied" } else { "data-select" });
    status.set_text_content(said.as_deref());
}
