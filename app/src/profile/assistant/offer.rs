//! Browser side. The remark under the field that it is about, and what its button offers: to choose a preset, or to put back what
//! one replaced. Each of these fields has a place for it, a live region that is empty until then.

use std::cell::RefCell;

use web_sys::{Element, HtmlInputElement};

use super::{address, radio::name_of};
use crate::dom::{filled, find, find_all, text};

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

/// The places for remarks: under the presets, the server's name and the login.
pub(super) const PRESETS: &str = "at-presets";
pub(super) const HOST: &str = "at-host";
pub(super) const LOGIN: &str = "at-login";

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
        // A live region that is written again is announced again.
        Some(radio) if OFFER.with_borrow(|offer| matches!(offer, Offer::Choose(same) if *same == radio)) => {}
        Some(radio) => {
            let name = name_of(&radio);
            remark(LOGIN, "data-proposal", &name, Offer::Choose(radio));
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
    remark("", "", "", Offer::Nothing);
}

/// Says something in a place, with a button. The other places fall silent.
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
