//! Browser side. The provider that issued the login's address. The server knows the providers' domains; it is asked once for
//! each domain that is typed.

use std::{cell::RefCell, time::Duration};

use leptos::prelude::set_timeout;
use web_sys::{Element, HtmlInputElement, Response};

use super::radio::radios;
use crate::{
    dom::{find, spawn, text},
    fetch,
};

/// How long nothing is typed before the server is asked.
const PAUSE: Duration = Duration::from_millis(150);

thread_local! {
    /// The domain that was asked for last and its preset, which is empty until the answer, and where there is none.
    static KNOWN: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// The radio button of the preset that the login is an address of.
pub(super) fn provider() -> Option<HtmlInputElement> {
    let domain = domain();
    let id = KNOWN.with_borrow(|(known, id)| if *known == domain { id.clone() } else { String::new() });
    radios().into_iter().find(|radio| !id.is_empty() && radio.value() == id)
}

fn domain() -> String {
    let login = find::<HtmlInputElement>("#login").map(|login| login.value()).unwrap_or_default();
    login.rsplit_once('@').map_or("", |(_, domain)| domain.trim()).to_owned()
}

/// Asks for the login's domain, unless that was done. `then`: what depends on the answer.
pub(super) fn look(then: fn()) {
    let domain = domain();
    if !is_asked(&domain) {
        KNOWN.set((domain.clone(), String::new()));
        // A domain has a dot.
        if domain.contains('.') {
            set_timeout(move || spawn(ask(domain, then)), PAUSE);
        }
    }
    then();
}

fn is_asked(domain: &str) -> bool {
    KNOWN.with_borrow(|(known, _)| known == domain)
}

async fn ask(domain: String, then: fn()) {
    // Something else was typed in the meantime.
    if !is_asked(&domain) {
        return;
    }
    let Some(form) = find::<Element>("#profile-form") else { return };
    let address = text(&form, "data-provider") + &String::from(js_sys::encode_uri_component(&domain));
    let answer = fetch::fetch(&address, None, None).await.filter(Response::ok);
    let id = if let Some(answer) = answer { fetch::text(&answer).await } else { None };
    if !is_asked(&domain) {
        return;
    }
    match id {
        Some(id) => KNOWN.set((domain, id)),
        // No answer: asked again when something is typed.
        None => KNOWN.set((String::new(), String::new())),
    }
    then();
}
