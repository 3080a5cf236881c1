//! Server side. The back office: what a shop owner sees every day, and the way to the configurator.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{
    PortalOptions,
    accounts::Account,
    look::{Reader, page},
    quotes::{QUOTES, Quote},
};

/// `states`: of the posted quotes; `refused`: why one was refused.
pub(super) fn home(reader: &Reader, account: &Account, states: &HashMap<String, String>, refused: &str) -> Markup {
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
            @if !refused.is_empty() { p.refused role="alert" { (refusal(reader, refused)) } }
            div.scroll tabindex="0" role="region" aria-label=(word("quotes")) {
                table {
                    thead { tr { @for key in ["number", "customer", "amount", "status"] { th scope="col" { (word(key)) } } } }
                    tbody { @for quote in &QUOTES {
                        tr {
                            td { (quote.number) } td { (quote.customer) } td { (quote.amount) " €" }
                            td { (status(reader, account, quote, states)) }
                        }
                    } }
                }
            }
        },
    )
}

/// The state of a quote, and the button that sends it.
fn status(reader: &Reader, account: &Account, quote: &Quote, states: &HashMap<String, String>) -> Markup {
    let state = states.get(quote.number).map(String::as_str);
    let says = match state {
        Some("accepted") => "sent",
        Some("failed") => "not-sent",
        Some("delivery_unknown") => "sent-perhaps",
        Some(_) => "waiting",
        None if quote.sent => "sent",
        None => "to-send",
    };
    let sends = matches!(state, None | Some("failed" | "delivery_unknown")) && !quote.sent;
    html! {
        (reader.word(says))
        @if sends {
            form.inline method="post" action={ "/" (account.slug) "/quotes/" (quote.number) } {
                button aria-label={ (reader.word("send")) " " (quote.number) } { (reader.word("send")) }
            }
        }
    }
}

/// Why a quote was refused, in the portal's words.
fn refusal(reader: &Reader, code: &str) -> &'static str {
    reader.word(match code {
        "no_profile" | "profile_incomplete" => "refused-no-profile",
        _ => "refused",
    })
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

/// The configurator's element, its events, and the link to a page of its own. Without JavaScript a bare frame.
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
