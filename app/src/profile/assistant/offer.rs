//! Browser side. The remark under a field, and the offer of its button: select a preset, or restore what one replaced.
//! Each of these fields has a place for it, a live region that is empty at first.

use std::cell::RefCell;

use web_sys::{Element, HtmlInputElement};

use super::{address, radio::name_of};
use crate::dom::{filled, find, find_all, text};

/// The action of the remark's button.
#[derive(Default)]
pub(super) enum Offer {
    #[default]
    Nothing,
    /// Restores the typed values and the previous choice. The offer stays through further choices, until one of these
    /// fields is edited.
    Undo(Before),
    /// Restores the preset that was deselected when its server was edited.
    Return(Before),
    /// Selects the preset of this radio button.
    Choose(HtmlInputElement),
}

/// The form before a preset was chosen.
pub(super) struct Before {
    /// (input's id, value).
    pub(super) typed: Vec<(&'static str, String)>,
    pub(super) preset: Option<HtmlInputElement>,
    pub(super) security: Option<HtmlInputElement>,
}

/// The places for remarks: under the presets, the server's name and the login.
pub(super) const PRESETS: &str = "at-presets";
pub(super) const HOST: &str = "at-host";
pub(super) const LOGIN: &str = "at-login";

thread_local! {
    static OFFER: RefCell<Offer> = const { RefCell::new(Offer::Nothing) };
}

/// Whether typed values can be restored.
pub(super) fn is_undo_offered() -> bool {
    OFFER.with_borrow(|offer| matches!(offer, Offer::Undo(_)))
}

/// A field that could be restored was edited: the offer ends.
pub(super) fn typed(field: &str) {
    let about_it = OFFER.with_borrow(|offer| match offer {
        Offer::Undo(before) | Offer::Return(before) => before.typed.iter().any(|(id, _)| *id == field),
        _ => false,
    });
    if about_it {
        clear();
    }
}

/// Suggests the preset of the login's provider, unless it is selected already.
pub(super) fn propose() {
    match address::provider().filter(|radio| !radio.checked() && !is_undo_offered()) {
        // Rewriting a live region would announce it again.
        Some(radio) if OFFER.with_borrow(|offer| matches!(offer, Offer::Choose(same) if *same == radio)) => {}
        Some(radio) => {
            let name = name_of(&radio);
            remark(LOGIN, "data-proposal", &name, Offer::Choose(radio));
        }
        None if OFFER.with_borrow(|offer| matches!(offer, Offer::Choose(_))) => clear(),
        None => {}
    }
}

/// Takes the button's offer; none is left.
pub(super) fn take() -> Offer {
    OFFER.take()
}

/// Clears the remark.
pub(super) fn clear() {
    remark("", "", "", Offer::Nothing);
}

/// Shows a remark with a button in one place, and clears the others.
pub(super) fn remark(at: &str, kind: &str, name: &str, offer: Offer) {
    let Some(form) = find::<Element>("#profile-form") else {
        return;
    };
    let button = if matches!(offer, Offer::Choose(_)) { "data-choose" } else { "data-undo" };
    OFFER.set(offer);
    for place in find_all::<Element>(".assistant") {
        if place.id() != at {
            place.set_text_content(None);
            continue;
        }
        place.set_inner_html("<span></span><button type=button></button>");
        if let (Some(words), Some(press)) = (place.first_element_child(), place.last_element_child()) {
            words.set_text_content(Some(&filled(&text(&form, kind), "name", name)));
            press.set_text_content(Some(&text(&form, button)));
        }
    }
}
