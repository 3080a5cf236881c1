//! Browser side. The remark at the foot of the form, and what its button offers: to choose a preset, or to put back what one
//! replaced.

use std::cell::RefCell;

use web_sys::{Element, HtmlInputElement};

use super::{address, radio::name_of};
use crate::dom::{find, show, text};

/// What the button of the remark does.
#[derive(Default)]
pub(super) enum Offer {
    #[default]
    Nothing,
    /// Puts back what was typed by hand, and what was chosen before. It stays whatever is chosen next, until one of these
    /// fields is typed in again.
    Undo(Before),
    /// Puts back the preset that was left with its server.
    Return(Before),
    /// Chooses the preset of this radio button.
    Choose(HtmlInputElement),
}

/// The form before a preset was chosen.
pub(super) struct Before {
    /// (input's id, value).
    pub(super) typed: Vec<(&'static str, String)>,
    pub(super) preset: Option<HtmlInputElement>,
    pub(super) security: Option<HtmlInputElement>,
}

thread_local! {
    static OFFER: RefCell<Offer> = const { RefCell::new(Offer::Nothing) };
}

/// Whether what was typed by hand can be put back.
pub(super) fn is_undo_offered() -> bool {
    OFFER.with_borrow(|offer| matches!(offer, Offer::Undo(_)))
}

/// A field that could be put back was typed in: it cannot be any more.
pub(super) fn typed(field: &str) {
    let about_it = OFFER.with_borrow(|offer| match offer {
        Offer::Undo(before) | Offer::Return(before) => before.typed.iter().any(|(id, _)| *id == field),
        _ => false,
    });
    if about_it {
        clear();
    }
}

/// Proposes the preset that the login is an address of, unless it is chosen already.
pub(super) fn propose() {
    match address::provider().filter(|radio| !radio.checked() && !is_undo_offered()) {
        Some(radio) => {
            let name = name_of(&radio);
            remark("data-proposal", &name, Offer::Choose(radio));
        }
        None if OFFER.with_borrow(|offer| matches!(offer, Offer::Choose(_))) => clear(),
        None => {}
    }
}

/// What the button offered; from now on it offers nothing.
pub(super) fn take() -> Offer {
    OFFER.take()
}

/// Says nothing any more.
pub(super) fn clear() {
    remark("", "", Offer::Nothing);
}

/// Says something at the foot of the form, with a button.
pub(super) fn remark(kind: &str, name: &str, offer: Offer) {
    let Some(place) = find::<Element>("#assistant") else {
        return;
    };
    let button = match &offer {
        Offer::Nothing => "",
        Offer::Undo(_) | Offer::Return(_) => "data-undo",
        Offer::Choose(_) => "data-choose",
    };
    OFFER.set(offer);
    let shown = !button.is_empty();
    if let (Some(words), Some(press)) = (find::<Element>("#assistant span"), find::<Element>("#assistant button")) {
        words.set_text_content(Some(&text(&place, kind).replace("{name}", name)));
        press.set_text_content(Some(&text(&place, button)));
        show(&press, shown);
    }
    let _ = place.class_list().toggle_with_force("shown", shown);
}
