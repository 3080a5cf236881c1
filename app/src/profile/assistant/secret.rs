//! Browser side. The password field: the eye, and the cleaning.
//!
//! Where the chosen preset says that spaces are cosmetic they go by themselves, and the field says how many; elsewhere
//! it says what it found and offers to remove it, because a space can be part of a password.

use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::{
    dom::{find, show, text},
    presets::chosen,
};
use crate::profile::password::{InnerSpaces, clean};

fn field() -> Option<HtmlInputElement> {
    find("#secret")
}

/// The eye is there once it works.
pub(super) fn arrive() {
    if let Some(eye) = find::<Element>(".eye") {
        show(&eye, true);
    }
}

pub(super) fn clicked(target: &Element) {
    if let Ok(Some(eye)) = target.closest(".eye") {
        toggle(&eye);
    } else if target.matches("#secret-remark button").unwrap_or(false) {
        look(true);
    }
}

fn toggle(eye: &Element) {
    let Some(field) = field() else { return };
    let reveal = field.type_() == "password";
    field.set_type(if reveal { "text" } else { "password" });
    let _ = eye.set_attribute("aria-pressed", if reveal { "true" } else { "false" });
    if reveal {
        look(false);
    }
}

/// A change makes what was said before void; pasted text is looked at at once. Leaving the field is no moment to say
/// anything: the page would move under the pointer that is about to press Valider.
pub(super) fn typed(target: &Element, pasted: bool) {
    if target.id() == "secret" {
        say("", 0, false);
        if pasted {
            look(false);
        }
    }
}

/// Cleans the field where that is safe or asked for, and says what was found. When there is nothing, what was said
/// stays: pasting comes before pressing the eye.
fn look(asked: bool) {
    let Some(field) = field() else { return };
    // A preset whose server was changed by hand says nothing of this one's passwords.
    let host = find::<HtmlInputElement>("#host").map(|host| host.value()).unwrap_or_default();
    let cosmetic = chosen().is_some_and(|hint| hint.cosmetic_spaces && hint.host.eq_ignore_ascii_case(host.trim()));
    let cleaned = clean(&field.value(), if cosmetic { InnerSpaces::Cosmetic } else { InnerSpaces::Significant });
    match cleaned.removed() {
        0 => {}
        count if cosmetic || asked => {
            field.set_value(&cleaned.value);
            say("removed", count, false);
            if asked {
                let _ = field.focus();
            }
        }
        count => say("found", count, true),
    }
}

/// Puts a sentence under the field, with or without the button.
fn say(what: &str, count: u32, offer: bool) {
    let Some(remark) = find::<Element>("#secret-remark") else {
        return;
    };
    let name = ["data-", what, if count == 1 { "-one" } else { "-many" }].concat();
    if let Some(words) = find::<HtmlElement>("#secret-remark span") {
        words.set_text_content(Some(&text(&remark, &name).replace("{n}", &count.to_string())));
    }
    if let Some(button) = find::<Element>("#secret-remark button") {
        show(&button, offer);
    }
}
