//! Browser side. The password field: the button that shows it, and superfluous characters.
//!
//! If spaces are cosmetic at the chosen provider, they are removed and the field says how many. Otherwise the field
//! only offers to remove them, because a space can be part of a password.

use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::radio::chosen;
use crate::{
    dom::{filled, find, focus, is, show, text, toggle_secret},
    profile::{
        moved::Moved,
        password::{InnerSpaces, clean},
    },
};

fn field() -> Option<HtmlInputElement> {
    find("#secret")
}

/// Shows the eye, which needs a script.
pub(super) fn arrive() {
    if let Some(eye) = find::<Element>(".eye") {
        show(&eye, true);
    }
}

pub(super) fn clicked(target: &Element) {
    if let Ok(Some(eye)) = target.closest(".eye") {
        if toggle_secret(&eye) {
            look(false);
        }
    } else if is(target, "#secret-remark button") {
        look(true);
    }
}

/// A change clears the remark; pasted text is checked at once. Leaving the field shows nothing, because the page would
/// move under the pointer that is about to press Valider.
pub(super) fn typed(target: &Element, pasted: bool) {
    if target.id() == "secret" {
        say("", 0, false);
        if pasted {
            look(false);
        }
    }
}

/// Removes superfluous characters if that is safe or requested, and reports how many. If there are none, an earlier
/// remark stays.
fn look(asked: bool) {
    let Some(field) = field() else { return };
    // A preset does not describe the passwords of a server that was edited by hand.
    let host = find::<HtmlInputElement>("#host").map(|host| host.value()).unwrap_or_default();
    let cosmetic = chosen().is_some_and(|hint| hint.cosmetic_spaces && hint.host.eq_ignore_ascii_case(host.trim()));
    let cleaned = clean(&field.value(), if cosmetic { InnerSpaces::Cosmetic } else { InnerSpaces::Significant });
    match cleaned.removed() {
        0 => {}
        count if cosmetic || asked => {
            field.set_value(&cleaned.value);
            say("removed", count, false);
            if asked {
                focus(&field);
            }
        }
        count => say("found", count, true),
    }
}

/// Shows a remark under the field, with or without the button.
fn say(what: &str, count: u32, offer: bool) {
    let Some(remark) = find::<Element>("#secret-remark") else {
        return;
    };
    let name = ["data-", what, if count == 1 { "-one" } else { "-many" }].concat();
    if let Some(words) = find::<HtmlElement>("#secret-remark span") {
        words.set_text_content(Some(&filled(&text(&remark, &name), "n", &count.to_string())));
    }
    if let Some(button) = find::<Element>("#secret-remark button") {
        show(&button, offer);
    }
}

/// The stored password is invalid for another server or login: the field's hint and `required` change at once.
pub(super) fn follow() {
    let (Some(words), Some(secret)) = (find::<Element>("#secret-moved"), field()) else { return };
    let value = |id| find::<HtmlInputElement>(id).map(|input| input.value()).unwrap_or_default();
    let typed = ["#host", "#port", "#security input:checked", "#login"].map(value);
    let saved = ["data-host", "data-port", "data-security", "data-login"].map(|name| text(&words, name));
    let moved = Moved::of(saved.each_ref().map(String::as_str), typed.each_ref().map(String::as_str));
    let said = match moved {
        None => String::new(),
        Some(Moved::Server) => filled(&text(&words, "data-server-words"), "host", typed[0].trim()),
        Some(Moved::Login) => text(&words, "data-login-words"),
    };
    secret.set_required(moved.is_some());
    if let Some(kept) = find::<Element>("#secret-kept") {
        show(&kept, moved.is_none());
    }
    if words.text_content().as_deref() != Some(&said) {
        words.set_text_content(Some(&said));
    }
}
