//! Browser side. Posts the form to the streaming server function and shows its lines as they come.

use std::cell::RefCell;

use futures::StreamExt;
use gloo_net::http::Request;
use leptos::{ev::MouseEvent, prelude::document};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Element, FormData, HtmlElement, HtmlFormElement, SubmitEvent, UrlSearchParams};

use super::lines::Lines;

thread_local! {
    /// The test under way.
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
}

/// Takes the form's submission over when **Tester** was pressed; every other button stays native.
pub(super) fn submitted(event: &SubmitEvent) {
    let pressed = event.submitter().is_some_and(|button| button.has_attribute("data-test"));
    let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else {
        return;
    };
    if !pressed {
        return;
    }
    event.prevent_default();
    let Ok(abort) = AbortController::new() else { return };
    if RUNNING.with_borrow(Option::is_some) {
        return;
    }
    RUNNING.set(Some(abort.clone()));
    open_panel();
    leptos::task::spawn_local(async move {
        let whole = read(&form, &abort).await;
        let stopped = RUNNING.take().is_none();
        set_busy(false);
        if whole.is_none() {
            say(".result", if stopped { "data-stopped" } else { "data-cut" });
        }
    });
}

pub(super) fn clicked(event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    if target.is_some_and(|target| target.matches(".stop").unwrap_or(false)) {
        stop();
    }
}

/// Closes the stream, and with it the conversation at the other end.
pub(super) fn stop() {
    if let Some(abort) = RUNNING.take() {
        abort.abort();
    }
}

/// Shows the stream's lines; `None` when it ended before its last one.
async fn read(form: &HtmlFormElement, abort: &AbortController) -> Option<()> {
    let selected = form.query_selector("input[name=id]:checked").ok().flatten();
    let fields = FormData::new_with_form(form).ok()?;
    let body = UrlSearchParams::new().ok()?;
    for name in ["id", "to"] {
        body.append(name, &fields.get(name).as_string().unwrap_or_default());
    }
    let request = Request::post("/api/test/stream").abort_signal(Some(&abort.signal())).body(body).ok()?;
    let response = request.send().await.ok()?;
    let stream = response.body()?;
    let mut chunks = wasm_streams::ReadableStream::from_raw(stream.unchecked_into()).into_stream();
    let mut lines = Lines::default();
    let mut whole = None;
    while let Some(Ok(chunk)) = chunks.next().await {
        for line in lines.push(&js_sys::Uint8Array::new(&chunk).to_vec()) {
            whole = whole.or(show(&line, selected.as_ref()));
        }
    }
    whole
}

/// Shows one line; `Some` for the last one.
fn show(line: &str, selected: Option<&Element>) -> Option<()> {
    let event = js_sys::JSON::parse(line).ok()?;
    let text = |name: &str| js_sys::Reflect::get(&event, &JsValue::from_str(name)).ok()?.as_string();
    let html = text("html").unwrap_or_default();
    if text("kind")? == "stage" {
        part(".stages")?.insert_adjacent_html("beforeend", &html).ok()?;
        part(".now span")?.set_text_content(text("now").as_deref());
        return None;
    }
    let result = part(".result")?;
    result.set_inner_html(&html);
    if let (Some(badge), Some(row)) = (text("badge"), selected.and_then(|radio| radio.parent_element()))
        && let Ok(Some(state)) = row.query_selector(".state")
    {
        state.set_inner_html(&badge);
    }
    if let Ok(Some(title)) = result.query_selector("h2")
        && let Some(title) = title.dyn_ref::<HtmlElement>()
    {
        let _ = title.focus();
    }
    Some(())
}

fn part(selector: &str) -> Option<Element> {
    document().query_selector(&[".panel ", selector].concat()).ok().flatten()
}

fn panel() -> Option<Element> {
    document().query_selector(".panel").ok().flatten()
}

/// Empties the panel and opens it.
fn open_panel() {
    for selector in [".stages", ".result"] {
        if let Some(element) = part(selector) {
            element.set_inner_html("");
        }
    }
    say(".now span", "data-starting");
    set_busy(true);
    if let Some(panel) = panel() {
        let _ = panel.remove_attribute("hidden");
        panel.scroll_into_view_with_bool(false);
    }
}

fn set_busy(busy: bool) {
    if let (Some(panel), Some(now)) = (panel(), part(".now")) {
        let _ = panel.set_attribute("aria-busy", if busy { "true" } else { "false" });
        let _ = now.toggle_attribute_with_force("hidden", !busy);
    }
}

/// Puts one of the panel's texts somewhere.
fn say(selector: &str, name: &str) {
    if let (Some(panel), Some(element)) = (panel(), part(selector)) {
        element.set_text_content(panel.get_attribute(name).as_deref());
    }
}
