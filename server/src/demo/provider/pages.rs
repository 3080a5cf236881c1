//! Server side. The provider's pages: consent, administrator's consent, and errors.

use std::sync::LazyLock;

use app::i18n::Locale;
use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{
    MAIL_SCOPE,
    params::origin,
    personas::{PERSONAS, Persona},
    tokens::Request,
    words::word,
};

const STYLE: &str = include_str!("style.css");

/// The hash of the style, for the policy.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| BASE64_STANDARD.encode(Sha256::digest(STYLE)));

/// The content security policy. Browsers apply `form-action` to the redirect after a form, so it names the client.
pub(super) fn policy(redirect_uris: &[String]) -> HeaderValue {
    let mut clients: Vec<&str> = redirect_uris.iter().filter_map(|address| origin(address)).collect();
    clients.dedup();
    let policy = format!(
        "frame-ancestors 'none'; default-src 'none'; style-src 'sha256-{}'; img-src 'self'; form-action 'self' {}; \
         base-uri 'none'",
        *STYLE_HASH,
        clients.join(" ")
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("frame-ancestors 'none'; default-src 'none'"))
}

/// Whose application, what it may do, and for which account. `hinted`: the account that the client expects.
pub(super) fn consent(request: &Request, id: &str, hinted: Option<&Persona>) -> Markup {
    let locale = request.locale;
    let word = |key| word(locale, key);
    let is_hinted = |persona: &Persona| hinted.is_some_and(|hinted| hinted.login == persona.login);
    let (first, others): (Vec<&Persona>, Vec<&Persona>) = PERSONAS.iter().partition(|persona| is_hinted(persona));
    let title = format!("{} {}", word("app"), word("wants"));
    page(
        locale,
        &title,
        &html! {
            h1 { strong { (word("app")) } " " (word("wants")) }
            form method="post" action="/authorize" {
                input type="hidden" name="request" value=(id);
                p #allows { (word("allows")) }
                ul.scopes aria-labelledby="allows" {
                    @for scope in permissions(request) { li { (word(scope)) } }
                }
                fieldset {
                    legend { (word("account")) }
                    @for (at, persona) in first.into_iter().chain(others).enumerate() {
                        label.account {
                            input type="radio" name="account" value=(persona.address()) checked[at == 0]
                                aria-describedby={ "about-" (persona.login) };
                            span.initial aria-hidden="true" { (initial(persona)) }
                            span {
                                span.address { (persona.login) wbr; "@sandbox.example" }
                                span.about id={ "about-" (persona.login) } { (persona.description(locale)) }
                            }
                        }
                    }
                }
                div.buttons {
                    // The first one is what the Enter key presses.
                    button.primary name="decision" value="accept" { (word("accept")) }
                    button name="decision" value="cancel" { (word("cancel")) }
                }
            }
        },
    )
}

/// What the requested scopes permit, the mailbox first.
fn permissions(request: &Request) -> Vec<&'static str> {
    let asks = |scope: &str| request.scopes.iter().any(|asked| asked == scope);
    let mut permissions = Vec::new();
    for (asked, text) in [
        (asks(MAIL_SCOPE), "scope-mail"),
        // The address says which account it is.
        (asks("openid") && !asks("email"), "scope-openid"),
        (asks("email"), "scope-email"),
        (asks("profile"), "scope-profile"),
        (request.offline, "scope-offline"),
    ] {
        permissions.extend(asked.then_some(text));
    }
    permissions
}

fn initial(persona: &Persona) -> String {
    persona.login.chars().take(1).flat_map(char::to_uppercase).collect()
}

/// The administrator's page, before and after.
pub(super) fn administrator(locale: Locale, client_id: &str, allowed: bool) -> Markup {
    let word = |key| word(locale, key);
    page(
        locale,
        word("admin-title"),
        &html! {
            h1 { (word("admin-title")) }
            p { strong { (word("app")) } }
            @if allowed { p role="status" { (word("admin-allowed")) } } @else { p { (word("admin-about")) } }
            form method="post" action="/adminconsent" {
                input type="hidden" name="client_id" value=(client_id);
                input type="hidden" name="locale" value=(locale.tag());
                div.buttons {
                    @if allowed {
                        button name="decision" value="withdraw" { (word("admin-withdraw")) }
                    } @else {
                        button.primary name="decision" value="accept" { (word("accept")) }
                    }
                }
            }
        },
    )
}

/// Why the browser is not sent back to the application.
pub(super) fn failure(locale: Locale, reason: &str) -> Markup {
    page(
        locale,
        word(locale, "failed"),
        &html! {
            h1 { (word(locale, "failed")) }
            p { (word(locale, reason)) }
        },
    )
}

fn page(locale: Locale, title: &str, content: &Markup) -> Markup {
    let word = |key| word(locale, key);
    html! {
        (DOCTYPE)
        html lang=(locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · " (word("provider")) }
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.imitation { (word("imitation")) }
                main {
                    p.provider { img src="/favicon.svg" alt="" width="28" height="28"; (word("provider")) }
                    (content)
                }
            }
        }
    }
}
