//! Browser side. No input is lost: the server stores it while the user types, and validates it before the form is
//! submitted, so that the password stays in its field until the form is valid. Leaving a changed form asks first.

use std::cell::{Cell, RefCell};

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, SubmitEvent, UrlSearchParams};

use super::checks::{say_at, sum_up};
use crate::{
    dom::{after, find, focus, listen, press::when_released, show, spawn, text},
    fetch,
};

thread_local! {
    /// The form has unsaved changes.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
    /// Number of changes; and the number of the last change that was sent to the server.
    static TYPED: Cell<u32> = const { Cell::new(0) };
    static KEPT: Cell<u32> = const { Cell::new(0) };
    /// The form is being submitted.
    static LEAVING: Cell<bool> = const { Cell::new(false) };
    /// Number of the server's answers: each extends the session.
    static ROUND: Cell<u32> = const { Cell::new(0) };
    /// Number of pending requests; and the action to submit to once there are none, so that drafts are stored in order.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    static ELSEWHERE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Pause in typing after which the draft is stored.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// How long before the session's end the page announces it.
const NOTICE_S: u64 = 10 * 60;

fn form() -> Option<HtmlFormElement> {
    find("#profile-form")
}

/// Listens to the page being left and shown again, and schedules the announcement of the session's end.
pub(super) fn arrive() {
    listen(&window(), &["beforeunload", "pagehide", "pageshow"], heard);
    announce_end();
}

fn heard(event: Event) {
    match event.type_().as_str() {
        "beforeunload" if CHANGED.get() && !LEAVING.get() => {
            event.prevent_default();
            // For older browsers.
            let _ = js_sys::Reflect::set(&event, &JsValue::from_str("returnValue"), &JsValue::TRUE);
        }
        // The tab is closed while the user types.
        "pagehide" if KEPT.get() != TYPED.get() && !LEAVING.get() => {
            if let Some((address, body)) = typed(false) {
                let _ = window().navigator().send_beacon_with_opt_url_search_params(&address, Some(&body));
            }
        }
        // Restored from the back/forward cache.
        "pageshow" => LEAVING.set(false),
        _ => {}
    }
}

fn announce_end() {
    let seconds = form().and_then(|form| text(&form, "data-seconds").parse::<u64>().ok()).unwrap_or_default();
    let round = ROUND.get() + 1;
    ROUND.set(round);
    if seconds > NOTICE_S {
        let wait = std::time::Duration::from_secs(seconds - NOTICE_S);
        after(wait, move || {
            if ROUND.get() == round {
                when_released(|| say("data-ending"));
            }
        });
    }
}

/// The form changed: stores the draft after a pause in typing.
pub(super) fn changed() {
    CHANGED.set(true);
    let typed = TYPED.get() + 1;
    TYPED.set(typed);
    after(PAUSE, move || {
        if TYPED.get() == typed {
            keep();
        }
    });
}

/// Stores the draft at once, when a field is left.
pub(super) fn keep() {
    KEPT.set(TYPED.get());
    if !LEAVING.get() {
        spawn(async {
            if let Answer::Faults(_) = ask(false).await {
                when_released(|| say(""));
                announce_end();
            }
        });
    }
}

/// Submits the form if the server finds no errors. **Annuler** submits it unvalidated and without the password.
pub(super) fn submitted(event: &SubmitEvent) {
    event.prevent_default();
    if LEAVING.replace(true) {
        return;
    }
    let elsewhere = event.submitter().and_then(|button| button.get_attribute("formaction"));
    spawn(async move {
        if elsewhere.is_some() {
            ELSEWHERE.set(elsewhere);
            ask(false).await;
            return;
        }
        match ask(true).await {
            Answer::Faults(faults) if faults.is_empty() => {
                if let Some(form) = form() {
                    let _ = form.submit();
                    return;
                }
            }
            Answer::Faults(faults) => {
                for (field, words) in &faults {
                    say_at(field, words);
                }
                sum_up();
                if let Some(first) = find::<HtmlElement>("#profile-form [aria-invalid]:not([type=hidden])") {
                    focus(&first);
                }
            }
            // In a frame the portal's page renews the session. The page stays, with the password in it.
            Answer::SessionOver => {
                if let (Some(place), Some(words)) =
                    (find::<Element>("#over"), find::<Element>("#profile-form template"))
                {
                    place.set_inner_html(&words.inner_html());
                }
            }
            Answer::Silence => say("data-offline"),
        }
        LEAVING.set(false);
    });
}

/// Shows a text above the form's buttons; an empty name hides it.
fn say(name: &str) {
    if let Some(place) = find::<Element>("#ending") {
        let words = if name.is_empty() { String::new() } else { text(&place, name) };
        show(&place, !words.is_empty());
        place.set_text_content(Some(&words));
    }
}

enum Answer {
    /// Pairs of a field's id and its error.
    Faults(Vec<(String, String)>),
    SessionOver,
    Silence,
}

/// Sends the draft, without the password; the server validates it. `sends`: the form is submitted if it is valid.
async fn ask(sends: bool) -> Answer {
    ASKED.set(ASKED.get() + 1);
    let answer = try_ask(sends).await.unwrap_or(Answer::Silence);
    ASKED.set(ASKED.get() - 1);
    if ASKED.get() == 0
        && let Some(address) = ELSEWHERE.take()
        && let (Some(form), Some(secret)) = (form(), find::<HtmlInputElement>("#secret"))
    {
        secret.set_value("");
        let _ = form.set_attribute("action", &address);
        let _ = form.submit();
    }
    answer
}

async fn try_ask(sends: bool) -> Option<Answer> {
    let (address, body) = typed(sends)?;
    let response = fetch::fetch(&address, Some(&body), None).await?;
    if response.status() == 401 {
        return Some(Answer::SessionOver);
    }
    // Another account was opened in this browser, or the profile is gone: the form's own response says so and keeps the
    // input.
    if matches!(response.status(), 404 | 409) {
        return sends.then(|| Answer::Faults(Vec::new()));
    }
    if !response.ok() {
        return None;
    }
    let pairs = js_sys::JSON::parse(&fetch::text(&response).await?).ok()?;
    let word = |pair: &JsValue, at: u32| js_sys::Reflect::get_u32(pair, at).ok()?.as_string();
    let pairs =
        js_sys::Array::from(&pairs).iter().filter_map(|pair| Some((word(&pair, 0)?, word(&pair, 1)?))).collect();
    Some(Answer::Faults(pairs))
}

/// The address of the check and the fields, without the password.
fn typed(sends: bool) -> Option<(String, UrlSearchParams)> {
    let form = form()?;
    let fields = FormData::new_with_form(&form).ok()?;
    let typed = fields.get("secret").as_string().is_some_and(|secret| !secret.is_empty());
    fields.delete("secret");
    if typed {
        fields.set_with_str("typed", "1").ok()?;
    }
    if sends {
        fields.set_with_str("sends", "1").ok()?;
    }
    // This constructor takes the entries of a FormData.
    Some((text(&form, "data-check"), UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?))
}
