//! Browser side. The search box over the presets.

use std::cell::Cell;

use ::model::search::{finds, resembles, same};
use web_sys::{Element, HtmlInputElement};

use super::{
    address::Asker,
    presets::choose,
    radio::{name_of, radios},
};
use crate::dom::{find, focus, show, text};

thread_local! {
    /// Enter was pressed before the server's answer about the typed domain.
    static ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// Shows the box, which needs the WebAssembly.
pub(super) fn arrive() {
    if let Some(search) = find::<Element>(".search") {
        let _ = search.class_list().add_1("shown");
    }
}

pub(super) fn is_it(target: &Element) -> bool {
    target.id() == "preset-search"
}

/// Whether the input was in the search box.
pub(super) fn typed(target: &Element) -> bool {
    let it = is_it(target);
    if it {
        ENTERED.set(false);
        Asker::Search.look(domain(&typed_words()).to_owned(), narrow);
        narrow();
    }
    it
}

fn typed_words() -> String {
    find::<HtmlInputElement>("#preset-search").map(|input| input.value().trim().to_owned()).unwrap_or_default()
}

/// The text that may be a domain: alone, or at the end of an address, with or without a name (`Claire
/// <claire@exemple.fr>`).
fn domain(words: &str) -> &str {
    let name = words.rsplit('@').next().unwrap_or_default().trim_end_matches(['>', '"', ' ']);
    if name.contains(' ') { "" } else { name }
}

/// Every provider, with its card.
fn cards() -> impl Iterator<Item = (HtmlInputElement, Element)> {
    let offered = radios().into_iter().filter(|radio| radio.has_attribute("data-p"));
    offered.filter_map(|radio| radio.parent_element().map(|card| (radio, card)))
}

/// Enter in the search box: selects the only preset left, or the one with exactly this name.
pub(super) fn choose_the_only_one() {
    let words = typed_words();
    if Asker::Search.waits(domain(&words)) {
        ENTERED.set(true);
        return;
    }
    let mut left: Vec<HtmlInputElement> =
        cards().filter(|(_, card)| !card.has_attribute("hidden")).map(|(radio, _)| radio).collect();
    if left.len() > 1 {
        left.retain(|radio| same(&name_of(radio), &words));
    }
    if let (Some(radio), true) = (left.pop(), left.is_empty()) {
        radio.set_checked(true);
        choose(&radio);
        focus(&radio);
    }
}

/// Shows the preset of a typed e-mail domain; otherwise the presets whose name, search words or server match; otherwise
/// those with a similar name. "Another server" can always be selected.
fn narrow() {
    let words = typed_words();
    let wanted = words.as_str();
    // Until the answer arrives, the shown presets stay.
    if Asker::Search.waits(domain(wanted)) {
        return;
    }
    let of_the_domain = Asker::Search.provider(domain(wanted));
    let rank = |radio: &HtmlInputElement, card: &Element| {
        let named = [name_of(radio), text(card, "data-s")].join(" ");
        match &of_the_domain {
            Some(of) => u8::from(radio == of),
            None if finds(&[&named, " ", &text(radio, "data-p")].concat(), wanted) => 2,
            None => u8::from(resembles(&named, wanted)),
        }
    };
    let ranked: Vec<(u8, Element)> = cards().map(|(radio, card)| (rank(&radio, &card), card)).collect();
    let best = ranked.iter().map(|(rank, _)| *rank).max().unwrap_or_default();
    for (rank, card) in &ranked {
        show(card, *rank == best && best > 0);
    }
    if let Some(details) = find::<Element>("#presets details") {
        if !wanted.is_empty() {
            let _ = details.set_attribute("open", "");
        }
        // Closed and empty, it would suggest that there are more presets.
        show(&details, details.query_selector(".card-choice:not([hidden])").is_ok_and(|one| one.is_some()));
    }
    if let Some(none) = find::<Element>(".search [role=status]") {
        none.set_text_content(Some(&if best > 0 { String::new() } else { text(&none, "data-none") }));
    }
    if ENTERED.take() {
        choose_the_only_one();
    }
}
