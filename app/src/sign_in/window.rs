//! Browser side. With a script, one press opens the provider's window: a browser lets a page open one only while a
//! button is pressed. It opens empty, and the page that follows fills it. Without a script, or where the window was
//! blocked, that page has a button for it.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlFormElement, SubmitEvent, Window};

use crate::dom::{find, listen};

/// The window's name.
const NAME: &str = "facteur-sign-in";

/// Called once for each page with a button that begins a sign-in.
pub(crate) fn arrive() {
    listen(&document(), &["submit"], begun);
}

fn begun(event: Event) {
    let button = event.unchecked_ref::<SubmitEvent>().submitter();
    if let Some(words) = button.and_then(|button| button.get_attribute("data-opens"))
        && let Some(body) = named().and_then(|window| window.document()).and_then(|document| document.body())
    {
        body.set_text_content(Some(&words));
    }
}

/// Sends the window to the provider. Returns whether there is one.
pub(super) fn fill() -> bool {
    let Some(form) = find::<HtmlFormElement>("#sign-in-open") else { return false };
    if named().is_none() {
        return false;
    }
    form.set_target(NAME);
    form.submit().is_ok()
}

/// The window; opened, if there is none and the browser allows it.
fn named() -> Option<Window> {
    window().open_with_url_and_target("", NAME).ok().flatten()
}
