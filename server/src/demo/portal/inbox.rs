//! Server side. The sandbox' inbox, and the list of its personas.

use maud::{Markup, html};

use super::{
    PortalOptions,
    look::{Reader, page},
};
use crate::demo::sandbox::{
    DOMAIN, Received,
    personas::{PASSWORD_AS_SHOWN, PERSONAS},
};

pub(super) fn list(portal: &PortalOptions, reader: &Reader) -> Markup {
    let word = |key| reader.word(key);
    let mails = portal.inbox.messages();
    page(
        reader,
        word("inbox"),
        None,
        &html! {
            p.quiet { (word("inbox-about")) }
            @if mails.is_empty() {
                p { (word("no-mail")) }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(word("inbox")) {
                    table {
                        thead { tr { @for key in ["subject", "from", "to", "at"] { th scope="col" { (word(key)) } } } }
                        tbody { @for mail in &mails {
                            tr {
                                td { a href={ "/inbox/" (mail.id) } { (mail.subject) } }
                                td { (mail.from) } td { (mail.to) } td { (moment(&mail.at)) }
                            }
                        } }
                    }
                }
                form method="post" action="/inbox/empty" { p { button { (word("empty")) } } }
            }
            h2 #personas { (word("personas")) }
            p { (word("personas-about")) " " code { (PASSWORD_AS_SHOWN) } }
            p.quiet { (word("ports")) " " (portal.tls_port) " (SSL/TLS), " (portal.starttls_port) " (STARTTLS)" }
            div.scroll tabindex="0" role="region" aria-label=(word("personas")) {
                table {
                    thead { tr { @for key in ["login", "server", "plays"] { th scope="col" { (word(key)) } } } }
                    tbody { @for persona in PERSONAS {
                        tr {
                            td { code { (persona.login) "@" (DOMAIN) } }
                            td { code { (persona.host) "." (DOMAIN) } }
                            td { (persona.plays(reader.locale)) }
                        }
                    } }
                }
            }
        },
    )
}

/// An instant without its seconds, for people.
fn moment(at: &str) -> String {
    at.get(..16).map_or_else(|| at.to_owned(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

pub(super) fn mail(reader: &Reader, mail: &Received) -> Markup {
    let word = |key| reader.word(key);
    page(
        reader,
        &mail.subject,
        None,
        &html! {
            p { a href="/inbox" { (word("back")) } }
            dl {
                dt { (word("from")) } dd { (mail.from) }
                dt { (word("to")) } dd { (mail.to) }
                dt { (word("at")) } dd { (moment(&mail.at)) }
                @if let Some(login) = &mail.login { dt { (word("login")) } dd { (login) } }
            }
            @if let Some(html) = &mail.html {
                h2 { (word("html")) }
                iframe.mail sandbox="" srcdoc=(html) title=(word("html")) {}
            }
            h2 { (word("text")) }
            pre tabindex="0" { (mail.text) }
            details { summary { (word("source")) } pre tabindex="0" { (mail.raw) } }
        },
    )
}
