//! Browser side. The provider that issued an address: the login's, or one in the search box. The server knows the providers'
//! domains; it is asked once for each domain that is typed.

use std::{cell::RefCell, time::Duration};

use web_sys::{Element, HtmlInputElement, Response};

use super::radio::radios;
use crate::{
    dom::{after, find, press::when_released, spawn, text},
    fetch,
};

/// How long nothing is typed before the server is asked.
const PAUSE: Duration = Duration::from_millis(150);

/// Who asks. Each has one question at a time.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    Login,
    Search,
}

/// What the server says of a domain.
#[derive(Clone, PartialEq, Eq)]
enum Answer {
    Awaited,
    /// The id of its preset; empty where there is none.
    Preset(String),
}

/// A domain and what is known of it.
type Known = (String, Answer);

const NOTHING: Known = (String::new(), Answer::Awaited);

thread_local! {
    /// What each asked for last.
    static KNOWN: RefCell<[Known; 2]> = const { RefCell::new([NOTHING, NOTHING]) };
}

impl Asker {
    /// `None`: that domain was not asked for.
    fn known(self, domain: &str) -> Option<Answer> {
        KNOWN.with_borrow(|all| {
            let (known, answer) = &all[self as usize];
            (known == domain).then(|| answer.clone())
        })
    }

    fn learn(self, known: Known) {
        KNOWN.with_borrow_mut(|all| all[self as usize] = known);
    }

    /// The radio button of the preset that this domain belongs to, if the server has said so.
    pub(super) fn provider(self, domain: &str) -> Option<HtmlInputElement> {
        let Some(Answer::Preset(id)) = self.known(domain) else { return None };
        radios().into_iter().find(|radio| !id.is_empty() && radio.value() == id)
    }

    /// Whether the server has not answered yet.
    pub(super) fn waits(self, domain: &str) -> bool {
        has_a_dot(domain) && self.known(domain) == Some(Answer::Awaited)
    }

    /// Asks for a domain, unless that was done. `then`: what depends on the answer.
    pub(super) fn look(self, domain: String, then: fn()) {
        if self.known(&domain).is_none() {
            self.learn((domain.clone(), Answer::Awaited));
            if has_a_dot(&domain) {
                after(PAUSE, move || spawn(self.ask(domain, then)));
            }
        }
    }

    async fn ask(self, domain: String, then: fn()) {
        // Something else was typed in the meantime.
        if self.known(&domain).is_none() {
            return;
        }
        let Some(form) = find::<Element>("#profile-form") else { return };
        let mut address = text(&form, "data-provider") + &String::from(js_sys::encode_uri_component(&domain));
        if matches!(self, Self::Search) {
            address += "&near=1";
        }
        let answer = fetch::fetch(&address, None, None).await.filter(Response::ok);
        let id = if let Some(answer) = answer { fetch::text(&answer).await } else { None };
        if self.known(&domain).is_none() {
            return;
        }
        // Without an answer it is asked again when something is typed.
        self.learn(id.map_or(NOTHING, |id| (domain, Answer::Preset(id))));
        when_released(then);
    }
}

/// Every provider's domain has one.
fn has_a_dot(domain: &str) -> bool {
    domain.contains('.')
}

/// The radio button of the preset that the login is an address of.
pub(super) fn provider() -> Option<HtmlInputElement> {
    Asker::Login.provider(&domain())
}

fn domain() -> String {
    let login = find::<HtmlInputElement>("#login").map(|login| login.value()).unwrap_or_default();
    login.rsplit_once('@').map_or("", |(_, domain)| domain.trim()).to_owned()
}

/// Asks for the login's domain. `then`: what depends on the answer.
pub(super) fn look(then: fn()) {
    Asker::Login.look(domain(), then);
    then();
}
