//! Browser side. Posts the form to the streaming server function and shows its lines as they arrive.

use std::cell::{Cell, RefCell};

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Element, Event, FormData, HtmlElement, HtmlFormElement, ReadableStreamDefaultReader, Response,
    ScrollIntoViewOptions, ScrollLogicalPosition, SubmitEvent, UiEvent, UrlSearchParams,
};

use super::{copy, lines::Lines};
use crate::{
    dom::{find, focus, is, listen, show as set_shown, spawn, target},
    fetch::fetch,
};

thread_local! {
    /// The running test.
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// It has passed the commit point and can no longer be stopped.
    static LATE: Cell<bool> = const { Cell::new(false) };
}

/// Once, when the WebAssembly is there.
pub(super) fn arrive() {
    if let Some(live) = find::<Element>("#live") {
        listen(&live, &["submit", "click"], heard);
    }
    copy::show_buttons();
    show_selected();
}

fn heard(event: Event) {
    let Some(target) = target(&event) else { return };
    match target.dyn_into::<HtmlFormElement>() {
        Ok(form) if event.type_() == "submit" => submitted(event.unchecked_ref(), form),
        Ok(_) => {}
        Err(target) => clicked(event.unchecked_ref(), &target),
    }
}

/// Intercepts the submission by **Tester**; all other buttons submit natively.
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
    let Ok(abort) = AbortController::new() else { return };
    // A new test replaces the running one, unless that has passed the commit point: then it runs on, to update its row.
    let former = RUNNING.replace(Some(abort.clone()));
    let late = LATE.replace(false);
    if let Some(former) = former.as_ref().filter(|_| !late) {
        former.abort();
    }
    open_panel(if former.is_some() { "data-restarting" } else { "data-starting" });
    spawn(async move {
        let end = read(&form, &abort).await;
        let stopped = RUNNING.with_borrow(Option::is_none);
        if !stopped && !is_current(&abort) {
            return; // Another test has the panel.
        }
        RUNNING.set(None);
        let on_the_button = document().active_element().is_some_and(|at| is(&at, ".stop"));
        set_busy(false);
        match end {
            End::Whole => {}
            End::SessionOver => say_session_over(),
            End::Cut => {
                say(".result", if stopped { "data-stopped" } else { "data-cut" });
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

fn is_current(abort: &AbortController) -> bool {
    RUNNING.with_borrow(|running| running.as_ref() == Some(abort))
}

/// Moves the focus from the stop button, which is about to disappear, to **Tester**.
fn back_to_tester() {
    if let Some(button) = find::<HtmlElement>(".toolbar [data-test]") {
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
    }
}

/// Closes the stream, which cancels the test on the server; after the commit point, says that it is too late.
fn stop() {
    if LATE.get() {
        say(".now span", "data-late");
        if let Some(button) = part(".stop") {
            set_shown(&button, false);
            back_to_tester();
        }
    } else if let Some(abort) = RUNNING.take() {
        abort.abort();
    }
}

/// Scrolls a long list to the selected profile.
fn show_selected() {
    if let (Some(list), Some(row)) = (find::<HtmlElement>(".profiles"), find::<HtmlElement>(".profile:has(:checked)")) {
        list.set_scroll_top(row.offset_top() - list.client_height() / 2);
    }
}

/// Shows the stream's lines.
async fn read(form: &HtmlFormElement, abort: &AbortController) -> End {
    let Some((response, row)) = ask(form, abort).await else { return End::Cut };
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
            let current = is_current(abort);
            if show(&line, &row, current).is_some() {
                end = End::Whole;
            }
        }
    }
    end
}

/// Posts the form. Returns the response, and the selector of the profile's row.
async fn ask(form: &HtmlFormElement, abort: &AbortController) -> Option<(Response, String)> {
    let fields = FormData::new_with_form(form).ok()?;
    let body = UrlSearchParams::new().ok()?;
    let value = |name: &str| fields.get(name).as_string().unwrap_or_default();
    for name in ["form_owner", "id", "to", "fix"] {
        body.append(name, &value(name));
    }
    let row = ["label[for=profile-", &value("id"), "]"].concat();
    let address = panel()?.get_attribute("data-stream")?;
    Some((fetch(&address, Some(&body), Some(&abort.signal())).await?, row))
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
    let kind = text("kind")?;
    if kind == "leaving" {
        LATE.set(true);
        return None;
    }
    if kind == "stage" {
        part(".stages")?.insert_adjacent_html("beforeend", &html).ok()?;
        // Keep the words "too late".
        if !part(".stop")?.has_attribute("hidden") {
            part(".now span")?.set_text_content(text("now").as_deref());
        }
        keep_in_sight();
        return None;
    }
    if let Some(untried) = text("untried") {
        // What was said before the test is answered by it.
        fill("#untried", &untried);
        fill("#said", "");
    }
    let result = part(".result")?;
    result.set_inner_html(&html);
    copy::show_buttons();
    if let Some(title) = find::<HtmlElement>(".panel .result h2") {
        focus(&title);
    }
    Some(())
}

/// What is under way, and the button that stops it, stay in the window while the stages above them grow.
fn keep_in_sight() {
    if let Some(now) = part(".now") {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        now.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

fn fill(selector: &str, html: &str) {
    if let Some(place) = find::<Element>(selector) {
        place.set_inner_html(html);
    }
}

fn part(selector: &str) -> Option<Element> {
    find(&[".panel ", selector].concat())
}

fn panel() -> Option<Element> {
    find(".panel")
}

/// Empties and shows the panel. `says`: the attribute with its first text.
fn open_panel(says: &str) {
    for selector in [".stages", ".result"] {
        if let Some(element) = part(selector) {
            element.set_inner_html("");
        }
    }
    fill("#waiting", "");
    say(".now span", says);
    set_busy(true);
    if let Some(panel) = panel() {
        set_shown(&panel, true);
        keep_in_sight();
    }
}

fn set_busy(busy: bool) {
    if let Some(button) = part(".stop").filter(|_| busy) {
        set_shown(&button, true);
    }
    if let (Some(panel), Some(now)) = (panel(), part(".now")) {
        let _ = panel.set_attribute("aria-busy", if busy { "true" } else { "false" });
        set_shown(&now, busy);
    }
}

/// Puts one of the panel's texts somewhere.
fn say(selector: &str, name: &str) {
    if let (Some(panel), Some(element)) = (panel(), part(selector)) {
        element.set_text_content(panel.get_attribute(name).as_deref());
    }
}
