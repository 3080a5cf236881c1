//! Browser side. Posts the form to the streaming server function and shows its lines as they come.

use std::cell::{Cell, RefCell};

use leptos::{
    ev::MouseEvent,
    prelude::{document, window},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Element, FormData, HtmlDocument, HtmlElement, HtmlFormElement, ReadableStreamDefaultReader,
    Response, SubmitEvent, UrlSearchParams,
};

use super::lines::Lines;
use crate::fetch::fetch;

thread_local! {
    /// The test under way.
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// Its message may have left: it cannot be stopped any more.
    static LATE: Cell<bool> = const { Cell::new(false) };
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
    // The report's own page has no panel: there the form leaves by itself.
    if panel().is_none() {
        return;
    }
    event.prevent_default();
    let Ok(abort) = AbortController::new() else { return };
    // One at a time: the last press counts. One whose message may have left goes on: its row must say so.
    let former = RUNNING.replace(Some(abort.clone()));
    let late = LATE.replace(false);
    if let Some(former) = former.as_ref().filter(|_| !late) {
        former.abort();
    }
    open_panel(if former.is_some() { "data-restarting" } else { "data-starting" });
    leptos::task::spawn_local(async move {
        let end = read(&form, &abort).await;
        let stopped = RUNNING.with_borrow(Option::is_none);
        if !stopped && !is_current(&abort) {
            return; // Another test has the panel.
        }
        RUNNING.set(None);
        let on_the_button = document().active_element().is_some_and(|at| at.matches(".stop").unwrap_or(false));
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
    /// Nobody is signed in any more.
    SessionOver,
}

fn is_current(abort: &AbortController) -> bool {
    RUNNING.with_borrow(|running| running.as_ref() == Some(abort))
}

/// The button that had the focus is gone: on where its reader came from.
fn back_to_tester() {
    if let Ok(Some(button)) = document().query_selector(".toolbar [data-test]")
        && let Some(button) = button.dyn_ref::<HtmlElement>()
    {
        let _ = button.focus();
    }
}

/// What the server wrote for this case: a sentence, the way back, and the mark that tells a portal's page.
fn say_session_over() {
    if let (Some(place), Some(words)) = (part(".result"), part("template")) {
        place.set_inner_html(&words.inner_html());
        if let Ok(Some(link)) = place.query_selector("a")
            && let Some(link) = link.dyn_ref::<HtmlElement>()
        {
            let _ = link.focus();
        }
    }
}

pub(super) fn clicked(event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(target) = target else { return };
    // The second press of a double click: what the first one did may have put another button under it.
    if event.detail() > 1 && target.closest("button").ok().flatten().is_some() {
        event.prevent_default();
        return;
    }
    if target.matches(".stop").unwrap_or(false) {
        stop();
    } else if target.has_attribute("data-copy") {
        copy(&target);
    }
}

/// The buttons that copy are there once they work.
pub(super) fn show_copy_buttons() {
    let Ok(buttons) = document().query_selector_all(".copy[hidden]") else { return };
    for at in 0..buttons.length() {
        if let Some(button) = buttons.item(at).and_then(|node| node.dyn_into::<Element>().ok()) {
            let _ = button.remove_attribute("hidden");
        }
    }
}

/// Copies the text beside a button. In a frame of another origin the newer clipboard needs a permission that the portal
/// would have to give; the selection and the old command need none.
fn copy(button: &Element) {
    let Ok(Some(place)) = button.closest(".passable") else { return };
    let (Ok(Some(text)), Ok(Some(status))) = (place.query_selector("pre"), place.query_selector("[role=status]"))
    else {
        return;
    };
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(&text);
    }
    let page = document().dyn_into::<HtmlDocument>().ok();
    let copied = page.is_some_and(|page| page.exec_command("copy").unwrap_or(false));
    let said = status.get_attribute(if copied { "data-copied" } else { "data-select" });
    status.set_text_content(said.as_deref());
}

/// Closes the stream, and with it the conversation at the other end; says that it is too late once the message may have left.
pub(super) fn stop() {
    if LATE.get() {
        say(".now span", "data-late");
        if let Some(button) = part(".stop") {
            let _ = button.set_attribute("hidden", "");
            back_to_tester();
        }
    } else if let Some(abort) = RUNNING.take() {
        abort.abort();
    }
}

/// A long list has a box of its own: it begins with the selected profile in sight.
pub(super) fn show_selected() {
    let find = |selector| document().query_selector(selector).ok().flatten()?.dyn_into::<HtmlElement>().ok();
    if let (Some(list), Some(row)) = (find(".profiles"), find(".profile:has(:checked)")) {
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
    // What is read at the end has no value.
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

/// The answer to the press, and where the profile's row is in the list.
async fn ask(form: &HtmlFormElement, abort: &AbortController) -> Option<(Response, String)> {
    let fields = FormData::new_with_form(form).ok()?;
    let body = UrlSearchParams::new().ok()?;
    let value = |name: &str| fields.get(name).as_string().unwrap_or_default();
    for name in ["whose", "id", "to", "fix"] {
        body.append(name, &value(name));
    }
    let row = ["label[for=profile-", &value("id"), "]"].concat();
    let address = panel()?.get_attribute("data-stream")?;
    Some((fetch(&address, Some(&body), Some(&abort.signal())).await?, row))
}

/// Shows one line; `Some` for the last one. `row`: where the profile's row is in the list. `current`: the panel is this test's.
fn show(line: &str, row: &str, current: bool) -> Option<()> {
    let event = js_sys::JSON::parse(line).ok()?;
    let text = |name: &str| js_sys::Reflect::get(&event, &JsValue::from_str(name)).ok()?.as_string();
    let html = text("html").unwrap_or_default();
    if let (Some(html), Ok(Some(label))) = (text("row"), document().query_selector(row)) {
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
        // Once it was said that it is too late, that stays.
        if !part(".stop")?.has_attribute("hidden") {
            part(".now span")?.set_text_content(text("now").as_deref());
        }
        return None;
    }
    let result = part(".result")?;
    result.set_inner_html(&html);
    show_copy_buttons();
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

/// Empties the panel and opens it. `says`: the text that begins it.
fn open_panel(says: &str) {
    for selector in [".stages", ".result"] {
        if let Some(element) = part(selector) {
            element.set_inner_html("");
        }
    }
    say(".now span", says);
    set_busy(true);
    if let Some(panel) = panel() {
        let _ = panel.remove_attribute("hidden");
        panel.scroll_into_view_with_bool(false);
    }
}

fn set_busy(busy: bool) {
    if let Some(button) = part(".stop").filter(|_| busy) {
        let _ = button.remove_attribute("hidden");
    }
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
