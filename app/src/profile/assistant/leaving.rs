//! Browser side. Nothing typed is lost: the server keeps it while it is typed, and says what is wrong before the form
//! leaves, so that a password stays in its field until all is well. A changed form asks before it is left.

use std::cell::{Cell, RefCell};

use leptos::prelude::{set_timeout, window};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, SubmitEvent, UrlSearchParams};

use super::{
    checks::say_at,
    dom::{find, show, text},
};
use crate::fetch;

thread_local! {
    /// Something was typed, and the form has not left.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
    /// Counts what was typed, and what of it was handed over.
    static TYPED: Cell<u32> = const { Cell::new(0) };
    static KEPT: Cell<u32> = const { Cell::new(0) };
    /// The form is about to leave.
    static LEAVING: Cell<bool> = const { Cell::new(false) };
    /// Counts the answers of the server: each moves the session's end.
    static ROUND: Cell<u32> = const { Cell::new(0) };
    /// How many questions to the server are under way, and where the form goes once there is none: what was typed is kept
    /// in its order.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    static ELSEWHERE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// How long nothing is typed before what was typed is kept.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// How long before its end a session's end is announced.
const NOTICE_S: u64 = 10 * 60;

fn form() -> Option<HtmlFormElement> {
    find("#profile-form")
}

/// Listens to the page being left and shown again; announces the session's end.
pub(super) fn arrive() {
    let ask = Closure::<dyn Fn(Event)>::new(|event: Event| {
        if CHANGED.get() && !LEAVING.get() {
            event.prevent_default();
            // Browsers that do not know the line above.
            let _ = js_sys::Reflect::set(&event, &JsValue::from_str("returnValue"), &JsValue::TRUE);
        }
    });
    let _ = window().add_event_listener_with_callback("beforeunload", ask.as_ref().unchecked_ref());
    ask.forget();
    // A tab that is closed while a field is still being typed in.
    let hide = Closure::<dyn Fn()>::new(|| {
        if KEPT.get() != TYPED.get()
            && !LEAVING.get()
            && let Some((address, body)) = typed(false)
        {
            let _ = window().navigator().send_beacon_with_opt_url_search_params(&address, Some(&body));
        }
    });
    let _ = window().add_event_listener_with_callback("pagehide", hide.as_ref().unchecked_ref());
    hide.forget();
    // Back brings a page as it was left.
    let again = Closure::<dyn Fn()>::new(|| LEAVING.set(false));
    let _ = window().add_event_listener_with_callback("pageshow", again.as_ref().unchecked_ref());
    again.forget();
    announce_end();
}

fn announce_end() {
    let seconds = form().and_then(|form| text(&form, "data-seconds").parse::<u64>().ok()).unwrap_or_default();
    let round = ROUND.get() + 1;
    ROUND.set(round);
    if seconds > NOTICE_S {
        let wait = std::time::Duration::from_secs(seconds - NOTICE_S);
        set_timeout(
            move || {
                if ROUND.get() == round {
                    say("data-ending");
                }
            },
            wait,
        );
    }
}

/// Something was typed or chosen: it is kept once the typing pauses.
pub(super) fn changed() {
    CHANGED.set(true);
    let typed = TYPED.get() + 1;
    TYPED.set(typed);
    set_timeout(
        move || {
            if TYPED.get() == typed {
                keep();
            }
        },
        PAUSE,
    );
}

/// A field was left with another value: it is kept at once.
pub(super) fn keep() {
    KEPT.set(TYPED.get());
    if !LEAVING.get() {
        leptos::task::spawn_local(async {
            if let Answer::Faults(_) = ask(false).await {
                say("");
                announce_end();
            }
        });
    }
}

/// The form leaves once the server has nothing against it; **Annuler** takes it away as it is, without the password.
pub(super) fn submitted(event: &SubmitEvent) {
    event.prevent_default();
    if LEAVING.replace(true) {
        return;
    }
    let elsewhere = event.submitter().and_then(|button| button.get_attribute("formaction"));
    leptos::task::spawn_local(async move {
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
                if let Some(first) = find::<HtmlElement>("#profile-form [aria-invalid]:not([type=hidden])") {
                    let _ = first.focus();
                }
            }
            // In a frame the portal's page hears of it and renews the session. The page stays, with the password in it.
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

/// Says something above the form's buttons.
fn say(name: &str) {
    if let Some(place) = find::<Element>("#ending") {
        let words = if name.is_empty() { String::new() } else { text(&place, name) };
        show(&place, !words.is_empty());
        place.set_text_content(Some(&words));
    }
}

enum Answer {
    /// Pairs of a field's id and what is wrong with it.
    Faults(Vec<(String, String)>),
    SessionOver,
    Silence,
}

/// `sends`: the form leaves when nothing is wrong. Hands over what is typed, without the password, and hears what is wrong with it.
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
    // Another account was opened in this browser: the page that the form leads to says so, and keeps what was typed.
    if response.status() == 409 {
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

/// Where to, and what is typed, without the password.
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
    // The pairs of a form are what this constructor takes.
    Some((text(&form, "data-check"), UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?))
}
