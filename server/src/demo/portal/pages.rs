//! Server side. The back office: what a shop owner sees every day, and the way to the configurator.

use maud::{Markup, html};

use super::{
    PortalOptions,
    accounts::Account,
    look::{Reader, page},
};

/// Sample quotes: number, customer, amount in euros, whether it was sent.
const QUOTES: [(&str, &str, &str, bool); 4] = [
    ("D-2041", "Mairie de Saint-Aubin", "412,00", false),
    ("D-2040", "Café des Arts", "96,50", true),
    ("D-2039", "Famille Leroy", "180,00", true),
    ("D-2038", "Crèche Les Lutins", "74,20", true),
];

pub(super) fn home(reader: &Reader, account: &Account) -> Markup {
    let word = |key| reader.word(key);
    let tiles = [("orders", "12"), ("quotes", "4"), ("customers", "238"), ("appointments", "3")];
    page(
        reader,
        account.name,
        Some(account),
        &html! {
            h2 { (word("today")) }
            ul.tiles { @for (key, count) in tiles { li { strong { (count) } span { (word(key)) } } } }
            h2 { (word("quotes")) }
            div.scroll tabindex="0" role="region" aria-label=(word("quotes")) {
                table {
                    thead { tr { @for key in ["number", "customer", "amount", "status"] { th scope="col" { (word(key)) } } } }
                    tbody { @for (number, customer, amount, sent) in QUOTES {
                        tr {
                            td { (number) } td { (customer) } td { (amount) " €" }
                            td { (word(if sent { "sent" } else { "to-send" })) }
                        }
                    } }
                }
            }
        },
    )
}

pub(super) fn settings(reader: &Reader, account: &Account) -> Markup {
    let word = |key| reader.word(key);
    page(
        reader,
        word("settings"),
        Some(account),
        &html! {
            ul.entries {
                li { a href={ "/" (account.slug) "/settings/sending" } { (word("sending")) } p { (word("sending-about")) } }
                li { strong { (word("profile")) } p { (word("profile-about")) } }
                li { strong { (word("team")) } p { (word("team-about")) } }
            }
        },
    )
}

/// The configurator's element, what it says, and the link to a page of its own. Without JavaScript a bare frame.
pub(super) fn sending(portal: &PortalOptions, reader: &Reader, account: &Account) -> Markup {
    let word = |key| reader.word(key);
    let open = format!("/{}/open/sending-mode", account.slug);
    page(
        reader,
        word("sending"),
        Some(account),
        &html! {
            p { a href=(open) { (word("full-page")) } }
            smtp-configurator token-url={ "/" (account.slug) "/token" } locale=(reader.locale.tag()) {
                noscript { iframe.configurator src=(open) title=(word("sending")) {} }
            }
            section.events hidden {
                h2 { (word("events")) }
                p.quiet { (word("events-about")) }
                ol #events {}
            }
            script src={ (portal.configurator_url) "/embed.js" } nonce=(reader.nonce.0) async {}
            script src="/events.js" nonce=(reader.nonce.0) {}
        },
    )
}

pub(super) fn not_found(reader: &Reader) -> Markup {
    page(reader, reader.word("not-found"), None, &html! { p { a href="/" { (reader.word("home")) } } })
}
