//! Browser side. The provider of an address: the login's, or one in the search box. The server knows the providers'
//! domains; each typed domain is requested once.

use std::{cell::RefCell, time::Duration};

use web_sys::{Element, HtmlInputElement, Response};

use super::radio::radios;
use crate::{
    dom::{after, find, press::when_released, spawn, text},
    fetch,
};

/// The pause in typing before a request.
const PAUSE: Duration = Duration::from_millis(150);

/// The two inputs that request. Each has one request at a time.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    Login,
    Search,
}

/// The server's answer for a domain.
#[derive(Clone, PartialEq, Eq)]
enum Answer {
    Awaited,
    /// The id of its preset; empty without one.
    Preset(String),
}

/// A domain and what is known about it.
type Known = (String, Answer);

const NOTHING: Known = (String::new(), Answer::Awaited);

thread_local! {
    /// The last request of each.
    static KNOWN: RefCell<[Known; 2]> = const { RefCell::new([NOTHING, NOTHING]) };
}

impl Asker {
    /// `None`: that domain was not requested.
    fn known(self, domain: &str) -> Option<Answer> {
        KNOWN.with_borrow(|all| {
            let (known, answer) = &all[self as usize];
            (known == domain).then(|| answer.clone())
        })
    }

    fn learn(self, known: Known) {
        KNOWN.with_borrow_mut(|all| all[self as usize] = known);
    }

    /// The radio button of the preset that this domain belongs to, if the server has answered.
    pub(super) fn provider(self, domain: &str) -> Option<HtmlInputElement> {
        let Some(Answer::Preset(id)) = self.known(domain) else { return None };
        radios().into_iter().find(|radio| !id.is_empty() && radio.value() == id)
    }

    /// Whether the answer is still missing.
    pub(super) fn waits(self, domain: &str) -> bool {
        has_a_dot(domain) && self.known(domain) == Some(Answer::Awaited)
    }

    /// Requests a domain, unless that was done. `then`: runs after the answer.
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
        // Without an answer, the next input requests it again.
        self.learn(id.map_or(NOTHING, |id| (domain, Answer::Preset(id))));
        when_released(then);
    }
}

/// Every provider's domain contains one.
fn has_a_dot(domain: &str) -> bool {
    domain.contains('.')
}

/// The radio button of the preset that issued the login's address.
pub(super) fn provider() -> Option<HtmlInputElement> {
    Asker::Login.provider(&domain())
}

fn domain() -> String {
    let login = find::<HtmlInputElement>("#login").map(|login| login.value()).unwrap_or_default();
    login.rsplit_once('@').map_or("", |(_, domain)| domain.trim()).to_owned()
}

/// Requests the login's domain. `then`: runs after the answer.
pub(super) fn look(then: fn()) {
    Asker::Login.look(domain(), then);
    then();
}
