//! Browser side. Posts the form to the streaming server function and shows its lines as they arrive.

use std::{
    cell::{Cell, RefCell},
    future::Future,
};

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement,
    ReadableStreamDefaultReader, Response, SubmitEvent, UiEvent, UrlSearchParams,
};

use super::{
    copy,
    lines::Lines,
    panel::{NOW, fill, in_sight, nearest, open_panel, panel, part, put_after, say, set_busy},
};
use crate::{
    dom::{find, find_all, focus, is, listen, show as set_shown, spawn, target, toggle_secret},
    fetch::fetch,
};

/// The button.
const TESTER: &str = ".toolbar [data-test]";

thread_local! {
    /// The running test.
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// The profile that it tests.
    static TESTED: RefCell<String> = const { RefCell::new(String::new()) };
    /// Counts the tests: the last one has the panel.
    static RUN: Cell<u32> = const { Cell::new(0) };
    /// It has passed the commit point and can no longer be stopped.
    static LATE: Cell<bool> = const { Cell::new(false) };
}

/// Once, when the WebAssembly is there.
pub(super) fn arrive() {
    if let Some(live) = find::<Element>("#live") {
        listen(&live, &["submit", "click", "change"], heard);
    }
    show_buttons();
    // What has just happened is read first, and a deletion undone.
    selected(find::<Element>("#said .notice").is_none());
}

fn heard(event: Event) {
    let Some(target) = target(&event) else { return };
    match event.type_().as_str() {
        "submit" => submitted(event.unchecked_ref(), target.unchecked_into()),
        "click" => clicked(event.unchecked_ref(), &target),
        _ if is(&target, ".profile input") => selected(true),
        _ => {}
    }
}

/// Moves the buttons under the row that is selected; `scrolls`: and into sight.
fn selected(scrolls: bool) {
    let (Some(row), Some(buttons)) = (find::<Element>(".profile:has(:checked)"), find::<HtmlElement>(".toolbar"))
    else {
        return;
    };
    put_after(&row, &buttons);
    if scrolls {
        nearest(&buttons);
    }
    mark_tester();
}

/// The running test of the selected profile is not begun again: **Tester** says so, and keeps the focus.
fn mark_tester() {
    let chosen = find::<HtmlInputElement>(".profile :checked").map(|radio| radio.value()).unwrap_or_default();
    if let Some(button) = find::<Element>(TESTER) {
        let runs = is_running(&chosen);
        let _ = button.set_attribute("aria-disabled", if runs { "true" } else { "false" });
    }
}

fn is_running(profile: &str) -> bool {
    RUNNING.with_borrow(Option::is_some) && TESTED.with_borrow(|tested| tested == profile)
}

/// Intercepts the submission by **Tester**, and by the buttons that mend and test; all others submit natively.
fn submitted(event: &SubmitEvent, form: HtmlFormElement) {
    let pressed = event.submitter().is_some_and(|button| button.has_attribute("data-test"));
    if !pressed {
        return;
    }
    // The report page has no panel: the form is submitted natively.
    if panel().is_none() {
        return;
    }
    event.prevent_default();
    let profile = value(&form, "id");
    if is_running(&profile) {
        return;
    }
    let Ok(abort) = AbortController::new() else { return };
    // A new test replaces the running one, unless that has passed the commit point: then it runs on, to update its row.
    let former = RUNNING.replace(Some(abort.clone()));
    let late = LATE.replace(false);
    if let Some(former) = former.as_ref().filter(|_| !late) {
        former.abort();
    }
    let run = RUN.get() + 1;
    RUN.set(run);
    // Before the panel is emptied: the form may stand in it.
    let answer = ask(&form, &profile, &abort);
    open_panel(&profile, if former.is_some() { "data-restarting" } else { "data-starting" });
    TESTED.set(profile);
    set_busy(true);
    mark_tester();
    spawn(async move {
        let end = match answer {
            Some((answer, row)) => read(answer, &row, run).await,
            None => End::Cut,
        };
        if !is_current(run) {
            return; // Another test has the panel.
        }
        RUNNING.set(None);
        let on_the_button = document().active_element().is_some_and(|at| is(&at, ".stop"));
        set_busy(false);
        mark_tester();
        match end {
            End::Whole => {}
            End::SessionOver => say_session_over(),
            End::Cut => {
                say(NOW, if abort.signal().aborted() { "data-stopped" } else { "data-cut" });
                if on_the_button {
                    back_to_tester();
                }
            }
        }
    });
}

/// How a stream ended.
enum End {
    Whole,
    Cut,
    /// The session has ended.
    SessionOver,
}

fn is_current(run: u32) -> bool {
    RUN.get() == run
}

/// Moves the focus from the stop button, which is about to disappear, to **Tester**.
fn back_to_tester() {
    if let Some(button) = find::<HtmlElement>(TESTER) {
        focus(&button);
    }
}

/// Shows the server's template for this case: a notice, the way back, and the mark that `frame.js` finds.
fn say_session_over() {
    if let (Some(place), Some(words)) = (part(".result"), part("template")) {
        place.set_inner_html(&words.inner_html());
        if let Some(link) = find::<HtmlElement>(".panel .result a") {
            focus(&link);
        }
    }
}

fn clicked(event: &UiEvent, target: &Element) {
    // The second click of a double click may hit a button that the first one put there.
    if event.detail() > 1 && target.closest("button").ok().flatten().is_some() {
        event.prevent_default();
        return;
    }
    if is(target, ".stop") {
        stop();
    } else if target.has_attribute("data-copy") {
        copy::copy(target);
    } else if let Ok(Some(eye)) = target.closest(".card .eye") {
        toggle_secret(&eye);
    }
}

/// Shows the buttons that need a script.
fn show_buttons() {
    for button in find_all::<Element>(".copy[hidden], .card .eye[hidden]") {
        set_shown(&button, true);
    }
}

/// Closes the stream, which cancels the test on the server; after the commit point, says that it is too late.
fn stop() {
    if LATE.get() {
        say(NOW, "data-late");
        if let Some(button) = part(".stop") {
            set_shown(&button, false);
            back_to_tester();
        }
    } else {
        RUNNING.with_borrow(|running| running.as_ref().map(AbortController::abort));
    }
}

/// Shows the stream's lines. `row`: the selector of the profile's row.
async fn read(answer: impl Future<Output = Option<Response>>, row: &str, run: u32) -> End {
    let Some(response) = answer.await else { return End::Cut };
    if response.status() == 401 {
        return End::SessionOver;
    }
    let Some(stream) = response.body() else { return End::Cut };
    let chunks: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut lines = Lines::default();
    let mut end = End::Cut;
    // The last read has no value.
    while let Ok(read) = chunks.read().await
        && let Ok(chunk) = js_sys::Reflect::get(&read, &JsValue::from_str("value"))
        && !chunk.is_undefined()
    {
        for line in lines.push(&js_sys::Uint8Array::new(&chunk).to_vec()) {
            if show(&line, row, is_current(run)).is_some() {
                end = End::Whole;
            }
        }
    }
    end
}

fn value(form: &HtmlFormElement, name: &str) -> String {
    FormData::new_with_form(form).ok().and_then(|fields| fields.get(name).as_string()).unwrap_or_default()
}

/// Posts the form. Returns the response to come, and the selector of the profile's row.
fn ask(
    form: &HtmlFormElement,
    profile: &str,
    abort: &AbortController,
) -> Option<(impl Future<Output = Option<Response>> + use<>, String)> {
    let body = UrlSearchParams::new().ok()?;
    for name in ["form_owner", "id", "to", "fix", "secret"] {
        body.append(name, &value(form, name));
    }
    let row = ["label[for=profile-", profile, "]"].concat();
    let address = panel()?.get_attribute("data-stream")?;
    let signal = abort.signal();
    Some((async move { fetch(&address, Some(&body), Some(&signal)).await }, row))
}

/// Shows one line; `Some` for the last one. `row`: the selector of the profile's row. `current`: whether the panel shows this test.
fn show(line: &str, row: &str, current: bool) -> Option<()> {
    let event = js_sys::JSON::parse(line).ok()?;
    let text = |name: &str| js_sys::Reflect::get(&event, &JsValue::from_str(name)).ok()?.as_string();
    let html = text("html").unwrap_or_default();
    if let (Some(html), Some(label)) = (text("row"), find::<Element>(row)) {
        label.set_inner_html(&html);
    }
    if !current {
        return None;
    }
    match text("kind")?.as_str() {
        "leaving" => LATE.set(true),
        "begun" => fill(".panel .tested", &html),
        "phases" => {
            fill(".panel .phases", &html);
            // Keep the words "too late".
            if !part(".stop")?.has_attribute("hidden") {
                part(NOW)?.set_text_content(text("now").as_deref());
                in_sight(".panel .now");
            }
        }
        "stage" => part(".stages")?.insert_adjacent_html("beforeend", &html).ok()?,
        _ => {
            if let Some(untried) = text("untried") {
                // What was said before the test is answered by it.
                fill("#untried", &untried);
                fill("#said", "");
            }
            // The report has them.
            fill(".panel .stages", "");
            fill(".panel .result", &html);
            say(NOW, "");
            show_buttons();
            if let Some(title) = find::<HtmlElement>(".panel .result h2") {
                focus(&title);
            }
            in_sight(".panel .result > :is(.card, .notice)");
            return Some(());
        }
    }
    None
}
