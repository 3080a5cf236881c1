//! Browser side. The search box over the presets.

use ::model::search::finds;
use web_sys::{Element, HtmlInputElement};

use super::{address::Asker, presets::choose};
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
    if it {
        Asker::Search.look(domain(&typed_words()).to_owned(), narrow);
        narrow();
    }
    it
}

fn typed_words() -> String {
    find::<HtmlInputElement>("#preset-search").map(|input| input.value().trim().to_owned()).unwrap_or_default()
}

/// What may be a domain, alone or at the end of an address.
fn domain(words: &str) -> &str {
    let name = words.rsplit('@').next().unwrap_or_default();
    if name.contains(' ') { "" } else { name }
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

/// Shows the presets whose name, search words, server or e-mail domain is typed; another server can always be chosen.
fn narrow() {
    let words = typed_words();
    let (wanted, domain) = (words.as_str(), domain(&words));
    let of_the_domain = Asker::Search.provider(domain).map(|radio| radio.value());
    let mut found = Asker::Search.waits(domain);
    for label in find_all::<Element>("#presets .card-choice:has([data-p])") {
        let Some(radio) = label.first_element_child() else { continue };
        let named =
            [label.text_content().unwrap_or_default(), text(&label, "data-s"), text(&radio, "data-p")].join(" ");
        let matches = finds(&named, wanted) || of_the_domain.as_deref().is_some_and(|id| id == text(&radio, "value"));
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
